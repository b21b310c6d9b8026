//! The text of a JUnit file, in whatever encoding its tool wrote it.
//!
//! How it is found follows appendix F of XML 1.0: a byte order mark, then the shape of the first characters, then what the XML
//! declaration says. Almost all files are UTF-8 and are not copied.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

use super::read::Unreadable;

/// An XML declaration is never longer than this, unless somebody wants it to be.
const LONGEST_DECLARATION: usize = 1024;

/// The file as text. What is no valid character of its encoding becomes U+FFFD.
///
/// # Errors
/// An encoding that is not known, by its name.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    let (encoding, bytes) = encoding_of(bytes)?;
    if encoding == UTF_8 {
        return Ok(match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        });
    }
    Ok(encoding.decode_without_bom_handling(bytes).0)
}

/// The encoding of a file, and the file without its byte order mark.
fn encoding_of(bytes: &[u8]) -> Result<(&'static Encoding, &[u8]), Unreadable> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [1..=0xff, 0, 0, 0, ..] | [0, 0, 0, 1..=0xff, ..] => {
            Err(unknown("UTF-32"))
        }
        // A mark is believed whatever the declaration says: some tools change the encoding of a file and not its first line.
        [0xff, 0xfe, text @ ..] => Ok((UTF_16LE, text)),
        [0xfe, 0xff, text @ ..] => Ok((UTF_16BE, text)),
        [0xef, 0xbb, 0xbf, text @ ..] => Ok((UTF_8, text)),
        // The first character of any XML is one of ASCII, so that the other half of it is zero in UTF-16.
        [1..=0xff, 0, ..] => Ok((UTF_16LE, bytes)),
        [0, 1..=0xff, ..] => Ok((UTF_16BE, bytes)),
        _ => Ok((declared(bytes)?, bytes)),
    }
}

/// What the XML declaration says, for a file whose first line can be read as ASCII. UTF-8 where it says nothing.
fn declared(bytes: &[u8]) -> Result<&'static Encoding, Unreadable> {
    let Some(label) = label(bytes) else { return Ok(UTF_8) };
    match known(label) {
        // Whoever could read this far has no UTF-16 before him. .NET's writers say so of text that is then stored as UTF-8.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) if encoding != REPLACEMENT => Ok(encoding),
        _ => Err(unknown(label)),
    }
}

/// The value of `encoding` in `<?xml version="1.0" encoding="…"?>`.
fn label(bytes: &[u8]) -> Option<&str> {
    let declaration = bytes.trim_ascii_start().strip_prefix(b"<?xml")?;
    let declaration = &declaration[..declaration.len().min(LONGEST_DECLARATION)];
    let end = declaration.windows(2).position(|two| two == b"?>")?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let (before, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let value = value[1..].split_once(quote)?.0.trim();
    (before.ends_with(|character: char| character.is_ascii_whitespace()) && !value.is_empty()).then_some(value)
}

/// The encoding of that name: as the Encoding Standard of the web has it, or as Python, Java and Windows write it.
fn known(label: &str) -> Option<&'static Encoding> {
    let of = |name: &str| Encoding::for_label(name.as_bytes());
    of(label).or_else(|| of(&label.replace('_', "-"))).or_else(|| {
        let plain: String = label.to_ascii_lowercase().replace(['-', '_', ' '], "");
        of(match plain.as_str() {
            "cp932" | "ms932" => "shift_jis",
            "cp936" | "ms936" => "gbk",
            "cp949" | "ms949" => "euc-kr",
            "cp950" | "ms950" => "big5",
            "cp65001" | "utf8sig" => "utf-8",
            plain => plain,
        })
    })
}

fn unknown(name: &str) -> Unreadable {
    let name: String = name.chars().take(40).collect();
    Unreadable::new(format!("is in the encoding {name:?}, which offload cannot read: have it written as UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(decode(bytes).expect("the encoding is known"), expected);
    }

    #[track_caller]
    fn check_declared(label: &str, bytes: &[u8], expected: &str) {
        let head = format!("<?xml version=\"1.0\" encoding='{label}' standalone=\"yes\"?>");
        check(&[head.as_bytes(), bytes].concat(), &format!("{head}{expected}"));
    }

    fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn reads_what_the_declaration_says() {
        for label in ["ISO-8859-1", "latin1", "latin-1", "iso8859_1", "L1"] {
            check_declared(label, b"Gr\xf6\xdfe", "Größe");
        }
        for label in ["windows-1252", "cp1252", "Cp1252", "CP-1252"] {
            check_declared(label, b"5 \x80", "5 €");
        }
        check_declared("ISO-8859-15", b"5 \xa4", "5 €");
        check_declared("windows-1251", b"\xcf\xf0\xe8", "При");
        check_declared("Shift_JIS", b"\x83e\x83X\x83g", "テスト");
        check_declared("cp932", b"\x83e", "テ");
        check_declared("GB18030", b"\xb2\xe2", "测");
        check_declared("us-ascii", b"plain", "plain");
        for label in ["UTF-8", "utf8", "utf_8", "UTF-8-SIG"] {
            check_declared(label, "Größe".as_bytes(), "Größe");
        }
    }

    #[test]
    fn reads_utf_16_with_and_without_a_mark() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<a b='Größe 🎈'/>";
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            check(&utf_16(text, unit), text);
            check(&utf_16(&format!("\u{feff}{text}"), unit), text);
        }
        check(&utf_16("<a/>", u16::to_be_bytes), "<a/>");
        check(&utf_16("\u{feff}", u16::to_le_bytes), "");
        // Cut within a character.
        check(&utf_16("<ab", u16::to_le_bytes)[..5], "<a\u{fffd}");
    }

    #[test]
    fn a_mark_says_more_than_the_declaration() {
        let text = "<?xml version='1.0' encoding='ISO-8859-1'?>Größe";
        check(format!("\u{feff}{text}").as_bytes(), text);
        check(&utf_16(&format!("\u{feff}{text}"), u16::to_be_bytes), text);
    }

    #[test]
    fn is_utf_8_where_nothing_else_is_said() {
        check("<a>Größe</a>".as_bytes(), "<a>Größe</a>");
        check(b"<a>\xff</a>", "<a>\u{fffd}</a>");
        check("<?xml version='1.0'?>é".as_bytes(), "<?xml version='1.0'?>é");
        check("<?xml version='1.0' nonencoding='latin1'?>é".as_bytes(), "<?xml version='1.0' nonencoding='latin1'?>é");
        check_declared("utf-16", "Größe".as_bytes(), "Größe");
        check(b"", "");
        check(b"<", "<");
        let late = format!("<?xml version='1.0'{} encoding='latin1'?>é", " ".repeat(LONGEST_DECLARATION));
        check(late.as_bytes(), &late);
    }

    #[test]
    fn is_not_copied_where_it_is_utf_8() {
        assert!(matches!(decode("<?xml encoding='utf-8'?>é".as_bytes()), Ok(Cow::Borrowed(_))));
        assert!(matches!(decode(b"<a/>"), Ok(Cow::Borrowed(_))));
    }

    #[track_caller]
    fn check_unknown(bytes: &[u8], expected: &str) {
        let reason = decode(bytes).expect_err("the encoding is not known").to_string();
        assert!(reason.starts_with(&format!("is in the encoding {expected}, which offload cannot read")), "{reason}");
    }

    #[test]
    fn names_what_it_does_not_know() {
        check_unknown(b"<?xml version='1.0' encoding='IBM850'?><a/>", "\"IBM850\"");
        check_unknown(b"\n<?xml version = '1.0' encoding = \"x\ny\"?><a/>", "\"x\\ny\"");
        check_unknown(b"<?xml version='1.0' encoding='ISO-2022-KR'?><a/>", "\"ISO-2022-KR\"");
        check_unknown(b"\xff\xfe\0\0<\0\0\0", "\"UTF-32\"");
        check_unknown(b"\0\0\0<", "\"UTF-32\"");
    }
}
