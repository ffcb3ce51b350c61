//! `RecordRelay`: from a read of the upstream to the client's `send`, without a frame of Python in between.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::{PyException, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PySlice};
use pyo3::{PyTraverseError, PyVisit};

use super::connection::PyHttpConnection;
use super::state::{lock, unpicklable};
use crate::http::Connection;

/// The processor, by the functions that make records. Python has them as a tuple.
#[derive(FromPyObject)]
struct Records {
    #[pyo3(item(0))]
    recorder: Py<PyAny>,
    #[pyo3(item(1))]
    prefix: Py<PyAny>,
    #[pyo3(item(2))]
    suffix: Py<PyAny>,
    #[pyo3(item(3))]
    joined: Py<PyAny>,
    #[pyo3(item(4))]
    on_idle: Py<PyAny>,
    #[pyo3(item(5))]
    done: Py<PyAny>,
}

/// The client, by the functions that send to it. Python has them as a tuple.
#[derive(FromPyObject)]
struct Client {
    /// `Context.run` of the request's context.
    #[pyo3(item(0))]
    run: Py<PyAny>,
    /// The functions that make `task` the current one of the loop, and end that.
    #[pyo3(item(1))]
    enter_task: Py<PyAny>,
    #[pyo3(item(2))]
    leave_task: Py<PyAny>,
    #[pyo3(item(3))]
    event_loop: Py<PyAny>,
    #[pyo3(item(4))]
    task: Py<PyAny>,
    #[pyo3(item(5))]
    send: Py<PyAny>,
    #[pyo3(item(6))]
    sender: Py<PyAny>,
}

/// The protocol of an upstream's transport while records are sent from its callback.
///
/// ``connection`` is the protocol otherwise: it keeps what arrives too late, and its deadline moves with each read.
/// ``waits`` are the loop's clock, the seconds between two reads, and the time at which the exchange has to be over.
/// ``stop`` is called with ``None`` when the client has to be waited for or the records are over, and with an
/// exception. It has to put ``connection`` in this protocol's place.
#[pyclass(frozen, subclass, name = "RecordRelay", module = "millstream._core")]
pub struct PyRecordRelay {
    connection: Py<PyAny>,
    view: Py<PyAny>,
    framing: Arc<Mutex<Connection>>,
    clock: Py<PyAny>,
    idle: f64,
    end_by: f64,
    records: Records,
    client: Client,
    stop: Py<PyAny>,
}

#[pymethods]
impl PyRecordRelay {
    #[new]
    fn new(
        connection: Py<PyAny>,
        view: Py<PyAny>,
        framing: &Bound<'_, PyHttpConnection>,
        waits: (Py<PyAny>, f64, f64),
        records: Records,
        client: Client,
        stop: Py<PyAny>,
    ) -> Self {
        let (clock, idle, end_by) = waits;
        Self {
            connection,
            view,
            framing: framing.get().shared(),
            clock,
            idle,
            end_by,
            records,
            client,
            stop,
        }
    }

    /// Return the buffer that all connections of the loop share.
    fn get_buffer<'py>(&self, py: Python<'py>, sizehint: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
        let _ = sizehint;
        self.view.bind(py).clone()
    }

    /// Send the records of what was read.
    fn buffer_updated(slf: &Bound<'_, Self>, nbytes: isize) -> PyResult<()> {
        let (py, relay) = (slf.py(), slf.get());
        let connection = relay.connection.bind(py);
        let time: f64 = relay.clock.bind(py).call0()?.extract()?;
        if time >= relay.end_by {
            connection.call_method0(intern!(py, "wake"))?;
            connection.call_method1(intern!(py, "buffer_updated"), (nbytes,))?;
            return Ok(());
        }
        let deadline = (time + relay.idle).min(relay.end_by);
        connection.setattr(intern!(py, "deadline"), deadline)?;
        // Made by a call: `PySlice::new` leaks the integers that it makes.
        let slice = py.get_type::<PySlice>().call1((nbytes,))?;
        let part = relay.view.bind(py).get_item(slice)?;
        let data = py.get_type::<PyBytes>().call1((part,))?;
        match Self::take(slf, data) {
            Ok(false) => relay.stop(py, py.None())?,
            Ok(true) => {
                let framing = lock(&relay.framing, py);
                let is_over = framing.has_ended() || framing.failure().is_some();
                drop(framing);
                if is_over {
                    connection.call_method0(intern!(py, "wake"))?;
                }
            }
            Err(error) if error.is_instance_of::<PyException>(py) => {
                relay.stop(py, error.into_value(py).into_any())?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Send `body` in the request's context: `Context.run` calls this.
    fn _send(&self, py: Python<'_>, body: Bound<'_, PyAny>) -> PyResult<bool> {
        let client = &self.client;
        let sender = client.sender.bind(py);
        let count: u64 = sender.getattr(intern!(py, "count"))?.extract()?;
        sender.setattr(intern!(py, "count"), count + 1)?;
        let task = (&client.event_loop, &client.task);
        client.enter_task.bind(py).call1(task)?;
        let sent = self.step(py, body);
        client.leave_task.bind(py).call1(task)?;
        sent
    }

    fn connection_lost(&self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        self.pass_on(error.py(), "connection_lost", Some(error))
    }

    fn eof_received(&self, py: Python<'_>) -> PyResult<()> {
        self.pass_on(py, "eof_received", None)
    }

    fn pause_writing(&self, py: Python<'_>) -> PyResult<()> {
        self.pass_on(py, "pause_writing", None)
    }

    fn resume_writing(&self, py: Python<'_>) -> PyResult<()> {
        self.pass_on(py, "resume_writing", None)
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(unpicklable("RecordRelay"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Records {
            recorder,
            prefix,
            suffix,
            joined,
            on_idle,
            done,
        } = &self.records;
        let Client {
            run,
            enter_task,
            leave_task,
            event_loop,
            task,
            send,
            sender,
        } = &self.client;
        let around = [&self.connection, &self.view, &self.clock, &self.stop];
        let records = [recorder, prefix, suffix, joined, on_idle, done];
        let client = [run, enter_task, leave_task, event_loop, task, send, sender];
        let mut held = around.iter().chain(&records).chain(&client);
        held.try_for_each(|held| visit.call(*held))
    }
}

impl PyRecordRelay {
    /// Makes and sends the records of `data`; returns whether to go on.
    fn take(slf: &Bound<'_, Self>, data: Bound<'_, PyAny>) -> PyResult<bool> {
        let (py, relay) = (slf.py(), slf.get());
        let (processor, done) = (&relay.records, relay.records.done.bind(py));
        let arguments = (data, &processor.prefix, &processor.suffix);
        let mut records = processor.recorder.bind(py).call1(arguments)?;
        if records.is_exact_instance_of::<PyList>() {
            records = processor.joined.bind(py).call1((records,))?;
        }
        if !records.is_truthy()? {
            return Ok(!done.is_truthy()? && !processor.on_idle.bind(py).call0()?.is_truthy()?);
        }
        let send = slf.getattr(intern!(py, "_send"))?;
        let is_sent = relay.client.run.bind(py).call1((send, records))?;
        Ok(is_sent.is_truthy()? && !done.is_truthy()?)
    }

    /// Runs `send` up to its end; if it waits, the sender's task goes on with it.
    fn step(&self, py: Python<'_>, body: Bound<'_, PyAny>) -> PyResult<bool> {
        let Client { send, sender, .. } = &self.client;
        let message = PyDict::new(py);
        message.set_item(intern!(py, "type"), intern!(py, "http.response.body"))?;
        message.set_item(intern!(py, "body"), body)?;
        message.set_item(intern!(py, "more_body"), true)?;
        let made = send.bind(py).call1((message,));
        let sending = match made {
            Ok(sending) => sending,
            Err(error) => return Err(self.send_error(py, error)?),
        };
        match sending.call_method1(intern!(py, "send"), (py.None(),)) {
            Ok(awaited) => {
                let suspend = intern!(py, "suspend");
                sender.bind(py).call_method1(suspend, (sending, awaited))?;
                Ok(false)
            }
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(true),
            Err(error) => Err(self.send_error(py, error)?),
        }
    }

    /// Returns what the sender raises for an exception of `send`.
    #[cold]
    fn send_error(&self, py: Python<'_>, error: PyErr) -> PyResult<PyErr> {
        if !error.is_instance_of::<PyException>(py) {
            return Ok(error);
        }
        let sender = self.client.sender.bind(py);
        let raised = sender.call_method1(intern!(py, "wrap_error"), (error.into_value(py),))?;
        Ok(PyErr::from_value(raised))
    }

    #[cold]
    fn stop(&self, py: Python<'_>, reason: Py<PyAny>) -> PyResult<()> {
        self.stop.bind(py).call1((reason,))?;
        Ok(())
    }

    #[cold]
    fn pass_on(
        &self,
        py: Python<'_>,
        name: &str,
        argument: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let method = self.connection.bind(py).getattr(name)?;
        match argument {
            Some(argument) => method.call1((argument,))?,
            None => method.call0()?,
        };
        Ok(())
    }
}
