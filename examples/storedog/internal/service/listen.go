package service

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// listen listens beside the process that listens at this address already, if there
// is one, and takes over all new connections from it.
func listen(ctx context.Context, address string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, conn syscall.RawConn) error {
		return control(conn, func(fd int) error {
			return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
	}}
	config.SetMultipathTCP(false) // it cannot be steered
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for requests: %w", err)
	}
	conn, err := listener.(*net.TCPListener).SyscallConn()
	if err == nil {
		err = control(conn, steer)
	}
	if err != nil {
		slog.Warn("new connections are not steered to this process: one may be lost when the old process ends", "err", err)
	}
	return listener, nil
}

// steer sends all new connections to the second socket at the address. Left alone,
// the kernel spreads them over both, and those that wait in the queue of the old
// socket when it is closed are reset. The sockets are numbered in the order in which
// they began to listen; while there is no second one, the kernel picks the first.
//
// https://man7.org/linux/man-pages/man7/socket.7.html, SO_ATTACH_REUSEPORT_CBPF
func steer(fd int) error {
	second := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 1}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF,
		&unix.SockFprog{Len: 1, Filter: &second})
}

func control(conn syscall.RawConn, set func(fd int) error) error {
	var err error
	if failed := conn.Control(func(fd uintptr) { err = set(int(fd)) }); failed != nil {
		return failed
	}
	return err
}
