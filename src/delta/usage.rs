//! Token counts that a provider sends one by one.

use std::borrow::Cow;

use super::sink::Text;

/// An object of the counts that are there, under their names; `None` without any.
pub(super) fn counts<'p, const N: usize>(
    names: &[&str; N],
    counts: [Option<&str>; N],
) -> Option<Text<'p>> {
    let there = names.iter().zip(counts);
    let members: Vec<String> = there
        .filter_map(|(name, count)| Some(format!("\"{name}\":{}", count?)))
        .collect();
    (!members.is_empty()).then(|| Cow::Owned(format!("{{{}}}", members.join(","))))
}
