//go:build cgo

package main

import "errors"

func (w *work) openToken() error { return errors.New("later") }
