//! The loop over all sockets of both sides.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use serde_json::Value;

use crate::client::Client;
use crate::judge::judge;
use crate::plan::{Fault, Spec, nanos};
use crate::process::{descriptors, resident};
use crate::report::Figures;
use crate::shared::{Due, Got, Moment, Shared, Stream, Upstream as State};
use crate::upstream::Upstream;

const LISTENER: usize = 0;
/// The gateway has this long to close and to calm down after the last stream.
const CALM: f64 = 150.0;
/// The gateway's memory is looked at so often.
const SAMPLE: f64 = 50.0;
/// An upstream that stays open for so long after its client left is a leak.
const GRACE: f64 = 5_000.0;

enum Connection {
    Upstream(Upstream),
    Client(Client),
}

/// The upstream's listener, and all connections.
pub struct World {
    poll: Poll,
    listener: TcpListener,
    connections: HashMap<usize, Connection>,
    next: usize,
    next_id: u64,
    buffer: Vec<u8>,
}

impl World {
    /// Opens the upstream's port.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        poll.registry()
            .register(&mut listener, Token(LISTENER), Interest::READABLE)?;
        let connections = HashMap::new();
        Ok(Self {
            poll,
            listener,
            connections,
            next: 1,
            next_id: 1,
            buffer: vec![0; 1 << 18],
        })
    }

    /// Returns the upstream's port.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Does a run, and returns its figures.
    pub fn run(&mut self, spec: Spec) -> io::Result<Value> {
        let mut run = Run::new(self, spec);
        let before = run.moment();
        run.shared.set(0, 0, Due::Open);
        while !run.is_over() {
            run.turn()?;
        }
        let after = run.moment();
        run.collect(true);
        let Run {
            shared, figures, ..
        } = run;
        self.forget();
        Ok(figures.report(&shared, before, after))
    }

    /// Drops what a run left over; idle connections of the gateway's pool stay.
    fn forget(&mut self) {
        self.connections.retain(
            |_, connection| matches!(connection, Connection::Upstream(one) if one.is_idle()),
        );
    }

    /// Returns how many connections the gateway keeps for later requests.
    fn idle(&self) -> usize {
        let connections = self.connections.values();
        connections
            .filter(|one| matches!(one, Connection::Upstream(one) if one.is_idle()))
            .count()
    }

    fn add(
        &mut self,
        mut socket: TcpStream,
        make: impl FnOnce(TcpStream, usize) -> Connection,
    ) -> io::Result<()> {
        let key = self.next;
        self.next += 1;
        self.poll.registry().register(
            &mut socket,
            Token(key),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        self.connections.insert(key, make(socket, key));
        Ok(())
    }
}

/// One run.
struct Run<'world> {
    world: &'world mut World,
    shared: Shared,
    figures: Figures,
    opened: u64,
    first: u64,
    active: u64,
    /// When the last stream ended, and all was calm.
    calm: Option<u64>,
    /// Whether opening waits for a stream to end.
    waiting: bool,
    /// When the gateway's memory is looked at again.
    sampled: u64,
    /// When streams whose upstream was still open are looked at again.
    swept: u64,
}

impl<'world> Run<'world> {
    fn new(world: &'world mut World, spec: Spec) -> Self {
        let first = world.next_id;
        Self {
            world,
            shared: Shared::new(spec),
            figures: Figures::default(),
            opened: 0,
            first,
            active: 0,
            calm: None,
            waiting: false,
            sampled: 0,
            swept: 0,
        }
    }

    /// Returns this moment, with the descriptors that the gateway has beyond those of its pool.
    fn moment(&self) -> Moment {
        let files = self.shared.spec.pid.map_or(0, descriptors);
        Moment {
            files: files.saturating_sub(self.world.idle()),
            ..self.shared.moment()
        }
    }

    /// Polls once, and does what is due.
    fn turn(&mut self) -> io::Result<()> {
        let due = self
            .shared
            .next_due()
            .unwrap_or(u64::MAX)
            .min(self.shared.now + nanos(100.0));
        let wait = Duration::from_nanos(due.saturating_sub(self.shared.now));
        let mut events = Events::with_capacity(1024);
        match self.world.poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        self.shared.tick();
        for event in &events {
            if event.token().0 == LISTENER {
                self.accept()?;
            } else {
                self.ready(event);
            }
        }
        while let Some((key, what)) = self.shared.take_due() {
            self.due(key, what)?;
        }
        self.collect(false);
        if let Some(pid) = self.shared.spec.pid
            && self.shared.now > self.sampled
        {
            self.sampled = self.shared.now + nanos(SAMPLE);
            self.figures.peak = self.figures.peak.max(resident(pid));
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.world.listener.accept() {
                Ok((socket, _)) => {
                    self.world.add(socket, |socket, key| {
                        Connection::Upstream(Upstream::new(socket, key))
                    })?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn ready(&mut self, event: &Event) {
        let key = event.token().0;
        let readable = event.is_readable() || event.is_read_closed() || event.is_error();
        // Latencies are those of the moment at which a socket is read.
        self.shared.tick();
        let (shared, buffer) = (&mut self.shared, &mut self.world.buffer[..]);
        let stays = match self.world.connections.get_mut(&key) {
            Some(Connection::Upstream(one)) => one.ready(readable, buffer, shared),
            Some(Connection::Client(one)) => one.ready(readable, buffer, shared),
            None => true,
        };
        if !stays {
            self.world.connections.remove(&key);
        }
    }

    fn due(&mut self, key: usize, what: Due) -> io::Result<()> {
        self.shared.tick();
        let shared = &mut self.shared;
        let stays = match (what, self.world.connections.get_mut(&key)) {
            (Due::Open, _) => return self.open(),
            (Due::Token, Some(Connection::Upstream(one))) => one.token(shared),
            (Due::Leave, Some(Connection::Client(one))) => one.leave(shared),
            (Due::Stop, Some(Connection::Client(one))) => {
                one.stop();
                true
            }
            _ => true,
        };
        if !stays {
            self.world.connections.remove(&key);
        }
        Ok(())
    }

    /// Begins the next stream.
    fn open(&mut self) -> io::Result<()> {
        let spec = &self.shared.spec;
        if self.opened == spec.streams || self.shared.now > spec.until {
            self.opened = spec.streams;
            return Ok(());
        }
        if self.active >= spec.at_once {
            self.waiting = true;
            return Ok(());
        }
        let id = self.world.next_id;
        self.world.next_id += 1;
        self.opened += 1;
        self.active += 1;
        let fault = spec.fault(id);
        let stream = Stream {
            fault,
            upstream: State::Unasked,
            sent: Vec::new(),
            got: None,
            began: self.shared.now,
            ended: 0,
        };
        let request = request(spec, id, fault);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, spec.port));
        let next = self.shared.now + spec.gap;
        self.shared.set(next, 0, Due::Open);
        self.shared.streams.insert(id, stream);
        if let Ok(socket) = TcpStream::connect(address) {
            let client = |socket, key| Connection::Client(Client::new(socket, key, id, request));
            return self.world.add(socket, client);
        }
        self.shared.got(id, Got::none());
        Ok(())
    }

    /// Judges the streams that are finished; all that are left, if this is the end.
    fn collect(&mut self, end: bool) {
        for id in std::mem::take(&mut self.shared.finished) {
            // A gateway that was left may ask its upstream all the same: it must close that as well.
            if self
                .shared
                .streams
                .get(&id)
                .is_some_and(|stream| stream.upstream != State::Answering)
            {
                self.judge(id);
            }
        }
        if end || self.shared.now > self.swept + nanos(1_000.0) {
            self.swept = self.shared.now;
            let grace = if end { 0 } else { nanos(GRACE) };
            let is_late =
                |stream: &Stream| stream.got.is_some() && self.shared.now >= stream.ended + grace;
            let streams = self.shared.streams.iter();
            let late: Vec<u64> = streams
                .filter(|(_, one)| end || is_late(one))
                .map(|(id, _)| *id)
                .collect();
            for id in late {
                self.judge(id);
            }
        }
    }

    fn judge(&mut self, id: u64) {
        let Some(stream) = self.shared.streams.remove(&id) else {
            return;
        };
        let verdict = judge(id, &stream, &self.shared.spec);
        // A soak's times would fill the memory.
        let timed = self.shared.spec.until == u64::MAX;
        if timed && id < self.first + self.shared.spec.streams {
            self.figures
                .add_setup(stream.ended.saturating_sub(stream.began));
        }
        self.figures.add(&stream, verdict, timed);
        self.active -= 1;
        if std::mem::take(&mut self.waiting) {
            self.shared.set(self.shared.now, 0, Due::Open);
        }
    }

    fn is_over(&mut self) -> bool {
        if self.shared.now > self.shared.spec.limit {
            return true;
        }
        if self.opened < self.shared.spec.streams || self.active > 0 {
            return false;
        }
        let calm = *self.calm.get_or_insert(self.shared.now + nanos(CALM));
        self.shared.now >= calm
    }
}

fn request(spec: &Spec, id: u64, fault: Fault) -> Vec<u8> {
    let raise = if let Fault::Raise(after) = fault {
        format!(" raise-{after}")
    } else {
        String::new()
    };
    let body = spec.body.replace("%PROMPT%", &format!("load-{id}{raise}"));
    let (path, size) = (&spec.path, body.len());
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         content-length: {size}\r\n\r\n{body}"
    )
    .into_bytes()
}
