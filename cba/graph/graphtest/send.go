package graphtest

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// send writes an answer, as the fault wants it.
func (g *Graph) send(w http.ResponseWriter, r *http.Request, a answer, text []byte, f *Fault) {
	kind := Kind(0)
	if f != nil {
		kind = f.Kind
	}
	if kind == Reset {
		breakOff(w)
	}
	for name, values := range a.header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	switch kind {
	case Half:
		text = text[:len(text)/2]
	case Huge, Bomb:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		if kind == Bomb {
			io.WriteString(w, `{"value":`+strings.Repeat("[", 1_000_000))
			return
		}
		writeHuge(w, f.Size)
		return
	}
	if len(text) > 0 && a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	}
	w.WriteHeader(a.status)
	switch kind {
	case Cut:
		w.Write(text[:len(text)/2])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case Slow:
		pause := f.Pause
		if pause <= 0 {
			pause = 20 * time.Millisecond
		}
		for i := range 16 {
			if !sleep(r.Context(), pause) {
				return // too short for its Content-Length: net/http closes the connection
			}
			w.Write(text[len(text)*i/16 : len(text)*(i+1)/16])
			http.NewResponseController(w).Flush()
		}
	default:
		w.Write(text) // an error is the client's business
	}
}

// writeHuge writes a JSON object with one text that does not end before size.
func writeHuge(w io.Writer, size int64) {
	if size <= 0 {
		size = 3 << 30
	}
	const head, tail = `{"@odata.context":"`, `","value":[]}`
	if _, err := io.WriteString(w, head); err != nil {
		return
	}
	block := []byte(strings.Repeat("a", 64<<10))
	for left := size - int64(len(head)+len(tail)); left > 0; left -= int64(len(block)) {
		if _, err := w.Write(block[:min(left, int64(len(block)))]); err != nil {
			return
		}
	}
	io.WriteString(w, tail)
}

// breakOff ends the connection before an answer, with a TCP reset where that can
// be done.
func breakOff(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		raw := conn
		if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
			raw = t.NetConn() // below TLS
		}
		if tcp, ok := raw.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		raw.Close()
	}
	panic(http.ErrAbortHandler)
}
