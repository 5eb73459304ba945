//! Text encodings of requests: percent signs, forms and Base64.
//!
//! Promises: what cannot be decoded is left as it stands rather than refused, as gateways do.
//! Leaves to others: what the decoded text means.

/// Percent-decodes a path segment.
pub(super) fn percent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let hex = text.get(index + 1..index + 3).filter(|_| *byte == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        decoded.push(hex.unwrap_or(*byte));
        index += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// The pairs of a form body.
pub(super) fn pairs(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let decode = |part: &str| percent(&part.replace('+', " "));
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').map_or((decode(pair), String::new()), |(name, value)| (decode(name), decode(value))))
        .collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0_u32, |sum, (at, byte)| sum | (u32::from(*byte) << (16 - 8 * at)));
        for at in 0..4 {
            let index = usize::try_from((word >> (18 - 6 * at)) & 63).unwrap_or(0);
            text.push(if at <= chunk.len() { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    text
}

/// Base64 in the alphabet for URLs, without padding.
pub(super) fn base64_url(bytes: &[u8]) -> String {
    base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The bytes of a Base64 text.
pub(super) fn read_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut bits) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        word = (word << 6) | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((word >> bits) & 255).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{base64, pairs, percent, read_base64};

    #[test]
    fn base64_reads_back_at_every_length() {
        for text in ["", "a", "ab", "abc", "sandbox-client:sandbox-secret"] {
            assert_eq!(read_base64(&base64(text.as_bytes())).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(read_base64("a*"), None);
    }

    #[test]
    fn percent_signs_and_plus_signs() {
        assert_eq!(percent("a%2Fb+c%C3%A9%zz"), "a/b+cé%zz");
        assert_eq!(pairs(b"a=1+2&b=%3D&c"), [("a".into(), "1 2".into()), ("b".into(), "=".into()), ("c".into(), String::new())]);
    }
}
