//! Text from outside made safe for terminals.

/// A text on one line. Control characters are escaped, including those that change the writing direction.
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut visible, character);
    }
    visible
}

/// Escapes a text like [`visible`], but keeps its line breaks.
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Adds a character, escaped if necessary.
pub fn push(visible: &mut String, character: char) {
    if is_obeyed(character) {
        visible.extend(character.escape_default());
    } else {
        visible.push(character);
    }
}

/// Whether a terminal would obey a character instead of showing it.
pub fn is_obeyed(character: char) -> bool {
    let changes_direction =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || changes_direction || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(visible("Zürich\n\u{1b}[2J\u{202e}\u{9b}"), "Zürich\\n\\u{1b}[2J\\u{202e}\\u{9b}");
        assert_eq!(visible_lines("a\r\nb\u{7}\n"), "a\\r\nb\\u{7}\n");
        assert_eq!(visible("a|b<c>\"d\",=e"), "a|b<c>\"d\",=e");
        assert_eq!(visible("\u{200f}\u{2028}\u{2029}\u{2069}\u{61c}"), r"\u{200f}\u{2028}\u{2029}\u{2069}\u{61c}");
    }

    #[test]
    fn punctuation_is_not_escaped() {
        for text in ["BASELINE CANDIDATE…", "1–2 ± 3 — “quoted” ‘so’ • ‐ †", "a\u{200d}b"] {
            assert_eq!(visible(text), text);
        }
    }
}
