//! The output of a decoder: counts deltas, and keeps choice 0's text and the token counts on their way to the sink.

use super::sink::{Delta, Sink};

/// Choice 0's text so far, token counts, and how many deltas there were. Every delta is handed out through it.
#[derive(Debug)]
pub struct Output {
    text: String,
    /// How many bytes of the text errors carry.
    max_text: usize,
    /// All of the text is kept, beyond what errors carry.
    keeps_all: bool,
    is_cut: bool,
    /// Choice 0's log probabilities, each as its JSON text, where all is kept.
    logprobs: Vec<String>,
    /// The last token counts, as JSON text.
    usage: Option<String>,
    /// How many deltas came out.
    pub deltas_seen: u64,
    /// Those of them that had no content: roles, finish reasons, usage and the like alone.
    others_seen: u64,
}

impl Output {
    /// Nothing so far; of choice 0's text, the first `max_text` bytes are kept.
    pub fn new(max_text: usize) -> Self {
        Self {
            text: String::new(),
            max_text,
            keeps_all: false,
            is_cut: false,
            logprobs: Vec::new(),
            usage: None,
            deltas_seen: 0,
            others_seen: 0,
        }
    }

    /// Keeps all of the text, and the log probabilities, from now on.
    pub fn keep_all(&mut self) {
        self.keeps_all = true;
    }

    /// Choice 0's text: its first bytes, up to the limit.
    pub fn text(&self) -> &str {
        start(&self.text, self.max_text)
    }

    /// Choice 0's text as far as it is kept.
    pub fn kept_text(&self) -> &str {
        &self.text
    }

    /// Choice 0's log probabilities so far, each as its JSON text, where they are kept.
    pub fn kept_logprobs(&self) -> &[String] {
        &self.logprobs
    }

    /// The last token counts, as JSON text.
    pub fn usage(&self) -> Option<&str> {
        self.usage.as_deref()
    }

    /// Whether [`Self::text`] is all of the text.
    pub fn has_whole_text(&self) -> bool {
        !self.is_cut && self.text.len() <= self.max_text
    }

    /// How many deltas had content: text, reasoning, a refusal, a tool call, audio.
    pub fn contents_seen(&self) -> u64 {
        self.deltas_seen - self.others_seen
    }

    /// Hands `delta` out, if there is anything in it; returns whether there is.
    pub fn hand_out(&mut self, delta: &Delta<'_>, sink: &mut impl Sink) -> bool {
        if delta.is_empty() {
            return false;
        }
        self.deltas_seen += 1;
        if !delta.has_content() {
            self.others_seen += 1;
        }
        if let (0, Some(text)) = (delta.index, &delta.text) {
            self.keep(text);
        }
        if let (0, true, Some(logprobs)) = (delta.index, self.keeps_all, delta.logprobs) {
            self.logprobs.push(logprobs.to_owned());
        }
        sink.delta(delta);
        true
    }

    /// Hands out a delta that has `text`, which is not empty, and nothing else.
    #[inline]
    pub(super) fn hand_out_text(&mut self, index: u32, text: &str, sink: &mut impl Sink) {
        self.deltas_seen += 1;
        if index == 0 {
            self.keep(text);
        }
        sink.text(index, text);
    }

    /// Hands out token counts, and keeps them as the last ones.
    #[inline(never)]
    pub(crate) fn hand_out_usage(&mut self, usage: &str, sink: &mut impl Sink) {
        let last = self.usage.get_or_insert_default();
        last.clear();
        last.push_str(usage);
        let delta = Delta {
            usage: Some(usage),
            ..Delta::default()
        };
        self.hand_out(&delta, sink);
    }

    #[inline]
    fn keep(&mut self, text: &str) {
        if self.text.len() + text.len() <= self.max_text || self.keeps_all {
            self.text.push_str(text);
        } else {
            self.keep_start(text);
        }
    }

    #[cold]
    fn keep_start(&mut self, text: &str) {
        if !self.is_cut {
            let room = self.max_text - self.text.len();
            self.text.push_str(start(text, room));
            // No later text may fill the rest of the room.
            self.max_text = self.text.len();
            self.is_cut = true;
        }
    }
}

/// The longest start of `text` that has at most `size` bytes.
fn start(text: &str, size: usize) -> &str {
    let mut end = size.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
