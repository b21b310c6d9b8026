//! "did you mean".

/// Below this, two words have too little in common for a suggestion to be of use.
const LEAST_SIMILARITY: f64 = 0.8;

/// The one of `candidates` that somebody who wrote `word` is likely to have meant.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (similarity(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= LEAST_SIMILARITY)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// Between 0 and 1. Case and the kind of dash are no difference, and one word within the other counts for much.
fn similarity(word: &str, candidate: &str) -> f64 {
    let (word, candidate) = (normal(word), normal(candidate));
    let alike = strsim::jaro_winkler(&word, &candidate);
    let contained = word.len() >= 4 && candidate.contains(&word);
    if contained { alike.max(LEAST_SIMILARITY) } else { alike }
}

fn normal(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

/// Words to choose from: "`a`, `b` or `c`".
pub(super) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "or")
}

/// Words that are all there: "`a`, `b` and `c`".
pub(super) fn all_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "and")
}

fn listed<'a>(words: impl IntoIterator<Item = &'a str>, conjunction: &str) -> String {
    let mut words: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} {conjunction} {last}", words.join(", ")),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = ["max_parallel", "test_timeout_secs", "retry_count", "working_dir", "stream_output"];

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(nearest(word, KEYS), expected, "{word}");
    }

    #[test]
    fn slips_are_seen_through() {
        check("max_paralel", Some("max_parallel"));
        check("max-parallel", Some("max_parallel"));
        check("MaxParallel", Some("max_parallel"));
        check("parallel", Some("max_parallel"));
        check("timeout", Some("test_timeout_secs"));
        check("retry", Some("retry_count"));
        check("workdir", Some("working_dir"));
        check("retrycount", Some("retry_count"));
    }

    #[test]
    fn a_strange_word_suggests_nothing() {
        check("colour", None);
        check("x", None);
        check("", None);
    }

    #[test]
    fn a_list_reads_well() {
        assert_eq!(one_of(["a"]), "`a`");
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(all_of(["a", "b"]), "`a` and `b`");
    }
}
