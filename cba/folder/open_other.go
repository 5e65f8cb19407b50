//go:build !unix

package folder

const noFollow = 0
