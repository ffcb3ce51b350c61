//! Token counts and the format of log probabilities, read from the objects that providers send.

use super::object::Object;
use crate::json::Reader;

const MAX_DIGITS: usize = 15;

/// Where a count may be: a member, or a member of a member.
type Path = &'static [&'static str];

/// The first group counts whose first place has a count, and the counts at its other places are added. `OpenAI` counts
/// cached tokens and reasoning with the others, some do not.
type Groups = [&'static [Path]];

const INPUT: &Groups = &[
    &[&["prompt_tokens"]],
    &[
        &["input_tokens"],
        &["cache_read_input_tokens"],
        &["cache_creation_input_tokens"],
    ],
    &[&["promptTokenCount"], &["toolUsePromptTokenCount"]],
    &[
        &["inputTokens"],
        &["cacheReadInputTokens"],
        &["cacheWriteInputTokens"],
    ],
    &[&["tokens", "input_tokens"]],
    &[&["prompt_eval_count"]],
    &[&["tokens_evaluated"]],
    &[&["input_length"]],
];
const OUTPUT: &Groups = &[
    &[&["completion_tokens"]],
    &[&["output_tokens"]],
    &[&["candidatesTokenCount"], &["thoughtsTokenCount"]],
    &[&["outputTokens"]],
    &[&["tokens", "output_tokens"]],
    &[&["eval_count"]],
    &[&["tokens_predicted"]],
    &[&["generated_tokens"]],
];
const TOTAL: &Groups = &[
    &[&["total_tokens"]],
    &[&["totalTokenCount"]],
    &[&["totalTokens"]],
];
const REASONING: &Groups = &[
    &[&["completion_tokens_details", "reasoning_tokens"]],
    &[&["output_tokens_details", "reasoning_tokens"]],
    &[&["output_token_details", "reasoning"]],
    &[&["thoughtsTokenCount"]],
];
const CACHED: &Groups = &[
    &[&["prompt_tokens_details", "cached_tokens"]],
    &[&["input_tokens_details", "cached_tokens"]],
    &[&["input_token_details", "cache_read"]],
    &[&["prompt_cache_hit_tokens"]],
    &[&["cache_read_input_tokens"]],
    &[&["cachedContentTokenCount"]],
    &[&["cacheReadInputTokens"]],
];

/// The counts of an answer's tokens, where they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub input: Option<u64>,
    pub output: Option<u64>,
    /// The sum where it is not known.
    pub total: Option<u64>,
    /// Not 0.
    pub reasoning: Option<u64>,
    /// Not 0.
    pub cached: Option<u64>,
}

impl Counts {
    /// The counts in `usage`, a JSON object in the names of `LangChain` or of a format that is decoded. A count is a
    /// number of at most 15 digits and nothing else, which JavaScript reads exactly.
    pub fn find(usage: Option<&str>) -> Self {
        let Some(usage) = usage else {
            return Self::default();
        };
        let (input, output) = (first(usage, INPUT), first(usage, OUTPUT));
        let sum = || Some(input? + output?);
        Self {
            input,
            output,
            total: first(usage, TOTAL).or_else(sum),
            reasoning: first(usage, REASONING).filter(|count| *count > 0),
            cached: first(usage, CACHED).filter(|count| *count > 0),
        }
    }

    /// Whether no count is known.
    pub fn are_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Adds the members of the usage object of OpenAI's chat format.
    pub fn chat_usage<'a>(&self, object: Object<'a>) -> Object<'a> {
        let mut object = object
            .some_number("prompt_tokens", self.input)
            .some_number("completion_tokens", self.output)
            .some_number("total_tokens", self.total);
        let details = [
            ("prompt_tokens_details", "cached_tokens", self.cached),
            (
                "completion_tokens_details",
                "reasoning_tokens",
                self.reasoning,
            ),
        ];
        for (name, member, count) in details {
            if let Some(count) = count {
                object = object.object(name, |details| details.number(member, count));
            }
        }
        object
    }

    /// Adds the members of a usage object in the names of JavaScript.
    pub fn script_usage<'a>(&self, object: Object<'a>) -> Object<'a> {
        object
            .some_number("inputTokens", self.input)
            .some_number("outputTokens", self.output)
            .some_number("totalTokens", self.total)
            .some_number("reasoningTokens", self.reasoning)
            .some_number("cachedInputTokens", self.cached)
    }
}

/// The counts of the first group that has one.
fn first(usage: &str, groups: &Groups) -> Option<u64> {
    groups.iter().find_map(|paths| {
        let (required, others) = paths.split_first()?;
        let added = others.iter().filter_map(|path| count(usage, path));
        Some(count(usage, required)? + added.sum::<u64>())
    })
}

/// The count at `path`.
fn count(usage: &str, path: Path) -> Option<u64> {
    let mut steps = path.iter();
    let value = steps.try_fold(usage, |object, name| member(object, name))?;
    let is_count = value.len() <= MAX_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| is_count)
}

/// The text of the last member of that name, if `object` is one.
fn member<'p>(object: &'p str, wanted: &str) -> Option<&'p str> {
    let mut reader = Reader::new(object);
    let mut found = None;
    if reader.peek() != b'{' {
        return None;
    }
    let read = reader.members(|reader, name| {
        let value = reader.value()?;
        if name == wanted {
            found = Some(value);
        }
        Ok(())
    });
    read.ok().and(found)
}

/// Whether one of `names` is a list of `logprobs`, a JSON object: each of OpenAI's formats has lists of its own.
pub fn has_list(logprobs: &str, names: &[&str]) -> bool {
    let is_list = |name: &&str| member(logprobs, name).is_some_and(|value| value.starts_with('['));
    names.iter().any(is_list)
}
