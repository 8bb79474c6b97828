//! "Did you mean": the known word nearest to a wrong one.

/// Words longer than this are not compared: nobody misspells so.
const LONGEST: usize = 64;

/// The nearest of `known`, if it is near.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let flat = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    let wrong = flat(word);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wrong, &flat(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint for a wrong word: the nearest known one, or all of them.
pub(super) fn hint(word: &str, known: &[&str]) -> Option<String> {
    if known.is_empty() {
        return None;
    }
    Some(match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", known.join(", ")),
    })
}

/// At most 60 characters of what a user wrote.
pub(super) fn clipped(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_near_words_only() {
        let known = ["memory", "workload", "pre-copy", "at-next-write"];
        assert_eq!(nearest("memroy", known), Some("memory"));
        assert_eq!(nearest("PRE_COPY", known), Some("pre-copy"));
        assert_eq!(nearest("at_next_write", known), Some("at-next-write"));
        assert_eq!(nearest("zebra", known), None);
        assert_eq!(nearest(&"x".repeat(1000), known), None);
        assert_eq!(hint("zebra", &["a", "b"]).as_deref(), Some("known are a, b"));
        assert_eq!(hint("zebra", &[]), None);
    }
}
