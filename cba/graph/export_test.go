package graph

import (
	"context"
	"time"
)

// SetSleep replaces waiting: tests take no time.
func SetSleep(c *Client, sleep func(context.Context, time.Duration) error) { c.sleep = sleep }

// SetMaxBody lowers the limit of an answer.
func SetMaxBody(c *Client, n int64) { c.maxBody = n }

var (
	Scrub      = scrub
	RetryAfter = retryAfter
	Transport  = transport
)

// Pace is Client.writes.
func Pace(ctx context.Context, c *Client, n int) error { return c.writes(ctx, n) }
