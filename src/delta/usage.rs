//! Token counts that a provider sends one by one.

use std::borrow::Cow;

use super::sink::Text;

/// An object of the counts that are there, under their names; `None` without any. A count is digits alone.
pub(super) fn counts<'p, const N: usize>(
    names: &[&str; N],
    counts: [Option<&str>; N],
) -> Option<Text<'p>> {
    let is_count = |count: &&str| count.bytes().all(|byte| byte.is_ascii_digit());
    let counts = counts.map(|count| count.filter(is_count));
    let there = names.iter().zip(counts);
    let members: Vec<String> = there
        .filter_map(|(name, count)| Some(format!("\"{name}\":{}", count?)))
        .collect();
    (!members.is_empty()).then(|| Cow::Owned(format!("{{{}}}", members.join(","))))
}
