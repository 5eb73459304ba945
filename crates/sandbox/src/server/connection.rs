//! TCP connections, plain or TLS, that a handler can cut without an answer.
//!
//! Promises: after `Cut::cut` the peer sees a reset, and not one byte of an answer; where there is a certificate, the client's
//! first byte tells TLS from plain HTTP, so one port takes both; a slow handshake holds up nobody else.
//! Leaves to others: when to cut (`super`).

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use super::tls::Tls;

/// Marks one connection as cut.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut(Arc<AtomicBool>);

impl Cut {
    /// From now on every write on the connection fails, which makes the server drop it.
    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The bytes below HTTP: plain, or TLS once its client has shown which it speaks.
enum Wire {
    Plain(TcpStream),
    /// Nothing was read yet, and the first byte decides.
    Undecided(TcpStream, TlsAcceptor),
    Handshake(Box<Accept<TcpStream>>),
    Tls(Box<TlsStream<TcpStream>>),
    /// The handshake failed, or the state is being replaced.
    Gone,
}

/// A stream that obeys its `Cut`.
pub(super) struct Stream {
    wire: Wire,
    cut: Cut,
}

/// The first byte of a TLS connection: a handshake record.
const TLS_HANDSHAKE: u8 = 22;

impl Stream {
    fn check(&self) -> io::Result<()> {
        if self.cut.0.load(Ordering::Acquire) {
            // Without lingering the close is a reset rather than an orderly end.
            match &self.wire {
                Wire::Plain(tcp) | Wire::Undecided(tcp, _) => tcp.set_zero_linger()?,
                Wire::Tls(tls) => tls.get_ref().0.set_zero_linger()?,
                Wire::Handshake(_) | Wire::Gone => {}
            }
            return Err(io::Error::from(io::ErrorKind::ConnectionReset));
        }
        Ok(())
    }

    /// Whether bytes can go through yet: finds out what the client speaks, and ends the handshake.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.wire = match std::mem::replace(&mut self.wire, Wire::Gone) {
                Wire::Undecided(tcp, acceptor) => {
                    let mut first = [0];
                    let peeked = tcp.poll_peek(context, &mut ReadBuf::new(&mut first));
                    match peeked {
                        Poll::Pending => {
                            self.wire = Wire::Undecided(tcp, acceptor);
                            return Poll::Pending;
                        }
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Ready(Ok(_)) if first[0] == TLS_HANDSHAKE => Wire::Handshake(Box::new(acceptor.accept(tcp))),
                        Poll::Ready(Ok(_)) => Wire::Plain(tcp),
                    }
                }
                Wire::Handshake(mut accept) => match Pin::new(&mut *accept).poll(context) {
                    Poll::Pending => {
                        self.wire = Wire::Handshake(accept);
                        return Poll::Pending;
                    }
                    Poll::Ready(tls) => Wire::Tls(Box::new(tls?)),
                },
                open @ (Wire::Plain(_) | Wire::Tls(_)) => {
                    self.wire = open;
                    return Poll::Ready(Ok(()));
                }
                Wire::Gone => return Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionAborted))),
            };
        }
    }

    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Bytes>>> {
        ready!(self.poll_open(context))?;
        Poll::Ready(match &mut self.wire {
            Wire::Plain(tcp) => Ok(Pin::new(tcp)),
            Wire::Tls(tls) => Ok(Pin::new(&mut **tls)),
            Wire::Undecided(..) | Wire::Handshake(_) | Wire::Gone => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
        })
    }
}

/// What both wires can do.
trait Bytes: AsyncRead + AsyncWrite + Unpin {}

impl Bytes for TcpStream {}
impl Bytes for TlsStream<TcpStream> {}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_bytes(context))?.poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        ready!(self.poll_bytes(context))?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        ready!(self.poll_bytes(context))?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.wire {
            // Nothing was written yet.
            Wire::Undecided(..) | Wire::Handshake(_) | Wire::Gone => Poll::Ready(Ok(())),
            Wire::Plain(_) | Wire::Tls(_) => ready!(self.poll_bytes(context))?.poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(tcp) | Wire::Undecided(tcp, _) => Pin::new(tcp).poll_shutdown(context),
            Wire::Tls(tls) => Pin::new(&mut **tls).poll_shutdown(context),
            Wire::Handshake(_) | Wire::Gone => Poll::Ready(Ok(())),
        }
    }
}

/// Accepts connections that can be cut.
#[derive(Debug)]
pub(super) struct CuttableListener {
    pub(super) tcp: TcpListener,
    /// With it, every connection may speak TLS or not, as its client likes.
    pub(super) tls: Option<Tls>,
}

impl Listener for CuttableListener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        let (tcp, address) = <TcpListener as Listener>::accept(&mut self.tcp).await;
        // Answers are written whole; waiting for more to send only delays them. A failure here costs speed, no more.
        let _ = tcp.set_nodelay(true);
        let wire = match &self.tls {
            Some(tls) => Wire::Undecided(tcp, tls.acceptor().clone()),
            None => Wire::Plain(tcp),
        };
        (Stream { wire, cut: Cut::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        TcpListener::local_addr(&self.tcp)
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Cut {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cut.clone()
    }
}
