//! A connection of a client: one request, whose response is read, stopped or left as its stream's plan says.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use mio::net::TcpStream;
use socket2::SockRef;

use crate::http::Response;
use crate::plan::{Fault, Leave, nanos};
use crate::shared::{Due, Got, Shared};

/// How long a client of a stream with a fault stays when nothing comes, or when it does not read.
const PATIENCE: f64 = 700.0;

/// A connection.
pub struct Client {
    socket: TcpStream,
    key: usize,
    id: u64,
    request: Vec<u8>,
    written: usize,
    response: Response,
    reads: Vec<(usize, u64)>,
    stopped: bool,
    how: Leave,
}

impl Client {
    /// Takes a connection that is being opened.
    pub fn new(socket: TcpStream, key: usize, id: u64, request: Vec<u8>) -> Self {
        let _ = socket.set_nodelay(true);
        Self {
            socket,
            key,
            id,
            request,
            written: 0,
            response: Response::new(),
            reads: Vec::new(),
            stopped: false,
            how: Leave::Fin,
        }
    }

    /// Reads and writes what can be; returns whether the connection goes on.
    pub fn ready(&mut self, readable: bool, buffer: &mut [u8], shared: &mut Shared) -> bool {
        if self.written < self.request.len() {
            match self.socket.write(&self.request[self.written..]) {
                Ok(size) => self.written += size,
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::NotConnected
                    ) => {}
                Err(_) => return self.end(false, None, shared),
            }
        }
        !readable || self.stopped || self.read(buffer, shared)
    }

    /// Leaves; the connection does not go on.
    pub fn leave(&mut self, shared: &mut Shared) -> bool {
        if self.how == Leave::Reset {
            let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
        }
        self.end(false, Some(shared.now), shared)
    }

    /// Stops to read.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    fn read(&mut self, buffer: &mut [u8], shared: &mut Shared) -> bool {
        loop {
            match self.socket.read(buffer) {
                Ok(0) => return self.end(self.response.is_complete(true), None, shared),
                Ok(size) => {
                    let before = self.response.body.len();
                    self.response.feed(&buffer[..size]);
                    if self.response.body.len() > before {
                        self.reads.push((self.response.body.len(), shared.now));
                        if self.act(shared) {
                            return self.leave(shared);
                        }
                    }
                    if self.response.is_over() {
                        return self.end(self.response.is_complete(false), None, shared);
                    }
                    // Not after a short read: an end that came with the data is reported once, with it.
                    if self.stopped {
                        return true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.end(false, None, shared),
            }
        }
    }

    /// Does what the plan says after a read; returns whether the client leaves now.
    fn act(&mut self, shared: &mut Shared) -> bool {
        let count = u32::try_from(self.reads.len()).unwrap_or(u32::MAX);
        let patience = shared.now + nanos(PATIENCE);
        if count == 1 {
            if let Some((how, after)) = shared.spec.leave {
                self.how = how;
                shared.set(shared.now + after, self.key, Due::Leave);
            }
            if let Some(after) = shared.spec.stop {
                shared.set(shared.now + after, self.key, Due::Stop);
            }
        }
        match shared.streams.get(&self.id).map(|stream| stream.fault) {
            Some(Fault::Leaves(how, after)) if count == after => {
                self.how = how;
                return true;
            }
            Some(Fault::Stops(after)) if count == after => {
                self.stopped = true;
                shared.set(patience, self.key, Due::Leave);
            }
            // A run of silent streams says itself when they leave.
            Some(Fault::Silent(after)) if count == 1 && shared.spec.silent.is_none() => {
                let silence = nanos(f64::from(after) * 1e3 / shared.spec.rate.max(1.0));
                shared.set(patience + silence, self.key, Due::Leave);
            }
            _ => {}
        }
        false
    }

    fn end(&mut self, complete: bool, left: Option<u64>, shared: &mut Shared) -> bool {
        let response = std::mem::replace(&mut self.response, Response::new());
        let got = Got {
            response,
            reads: std::mem::take(&mut self.reads),
            complete,
            left,
        };
        shared.got(self.id, got);
        false
    }
}
