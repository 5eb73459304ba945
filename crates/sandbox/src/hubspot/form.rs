//! `application/x-www-form-urlencoded`, both ways.
//!
//! Promises: the first value of a name counts; `+` is a space; anything but unreserved characters leaves escaped.

/// The pairs of a form.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body.
    pub(super) fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (plain(name), plain(value))).collect())
    }

    /// Adds pairs that count after the present ones.
    pub(super) fn extend(&mut self, pairs: &[(String, String)]) {
        self.0.extend_from_slice(pairs);
    }

    /// A value, empty when missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The token that introspection and revocation are about; some documentation names the field after the token's kind.
    pub(super) fn token(&self) -> &str {
        ["token", "access_token", "refresh_token"].map(|name| self.get(name)).into_iter().find(|value| !value.is_empty()).unwrap_or("")
    }
}

fn plain(text: &str) -> String {
    super::route::decoded(&text.replace('+', " "))
}

/// The pairs as a query string.
pub(super) fn encode(pairs: &[(&str, String)]) -> String {
    let escaped = |text: &str| {
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        out
    };
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    pairs.join("&")
}
