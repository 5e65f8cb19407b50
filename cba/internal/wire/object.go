package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ReadObject reads the object in a text that [Text] has passed, which may be in an envelope
// as for [ReadWrapped]. It is for a type of which long lists are read, where the
// reflection of Read costs more than the reading: read gets every property as it comes,
// and the functions of this file read the values. The error is an [*Error].
func ReadObject(text []byte, read func(name, value []byte) *Error) error {
	raw, where, err := only(text)
	switch {
	case err != nil:
	case isNull(raw):
		err = within(where, wrong("an object or array", raw))
	default:
		err = within(where, Properties(raw, read))
	}
	if err != nil {
		return located(err, text)
	}
	return nil
}

// Properties reads an object. Here and in what follows, null is as nothing.
func Properties(raw []byte, read func(name, value []byte) *Error) (err *Error) {
	switch {
	case isNull(raw):
		return nil
	case len(raw) == 0 || raw[0] != '{':
		return wrong("an object", raw)
	}
	Each(raw, func(name, value []byte) bool {
		if err = read(name, value); err != nil {
			err = within(pointer(string(name)), err)
		}
		return err == nil
	})
	return err
}

// Twice is the error of a property that appears twice, in different letter case.
func Twice() *Error {
	return &Error{Reason: DuplicateName, Detail: "the property appears twice, in different letter case"}
}

// List reads an array, whose elements are not null. An empty one is not nil.
func List[T any](raw []byte, read func(raw []byte) (T, *Error)) (list []T, err *Error) {
	switch {
	case isNull(raw):
		return nil, nil
	case raw[0] != '[':
		return nil, wrong("an array", raw)
	}
	n := 0
	EachElement(raw, func([]byte) bool {
		n++
		return n <= maxElements
	})
	if n > maxElements {
		return nil, tooLong()
	}
	list = make([]T, 0, n)
	EachElement(raw, func(element []byte) bool {
		var v T
		if isNull(element) {
			err = wrong("an object or array", element)
		} else {
			v, err = read(element)
		}
		if err != nil {
			err = within(pointer(strconv.Itoa(len(list))), err)
		}
		list = append(list, v)
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func tooLong() *Error {
	return &Error{Reason: TooLarge, Detail: fmt.Sprintf("a list of more than %d elements", maxElements)}
}

// String reads a string.
func String(raw []byte) (string, *Error) {
	switch {
	case isNull(raw):
		return "", nil
	case raw[0] != '"':
		return "", wrong("a string", raw)
	}
	return unquote(raw), nil
}

// Bool reads true or false.
func Bool(raw []byte) (bool, *Error) {
	if !isNull(raw) && raw[0] != 't' && raw[0] != 'f' {
		return false, wrong("true or false", raw)
	}
	return raw[0] == 't', nil
}

// Int32 reads a whole number.
func Int32(raw []byte) (int32, *Error) {
	switch {
	case isNull(raw):
		return 0, nil
	case raw[0] != '-' && (raw[0] < '0' || raw[0] > '9'):
		return 0, wrong("a number", raw)
	}
	n, err := strconv.ParseInt(string(raw), 10, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, &Error{Reason: OutOfRange, Detail: Clip(string(raw))}
	case err != nil:
		return 0, &Error{Reason: WrongType, Detail: "want a whole number, have " + Clip(string(raw))}
	}
	return int32(n), nil
}

// EqualFold is [strings.EqualFold] for a name and one of ASCII letters.
func EqualFold(name []byte, want string) bool {
	for i, c := range name {
		if c >= utf8.RuneSelf { // two letters outside of ASCII are folded into it
			return strings.EqualFold(string(name), want)
		}
		if i == len(want) || lower(c) != lower(want[i]) {
			return false
		}
	}
	return len(name) == len(want)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
