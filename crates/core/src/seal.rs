//! A checksum for every durable row, so that `ledger --verify` can name one that was altered behind our back.
//!
//! Promises: the same parts in the same order give the same seal on every machine; parts are length-prefixed, so moving a
//! character from one column to the next changes it. It finds accidents and hand edits; it is no signature.

/// Builds a row's seal: 64-bit FNV-1a over length-prefixed parts.
#[derive(Debug, Clone, Copy)]
pub struct Seal(u64);

impl Default for Seal {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Seal {
    /// Takes in raw bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self = self.number(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        for chunk in bytes.chunks(8) {
            let mut word = [0_u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        self
    }

    /// Takes in text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Takes in optional text; None differs from empty.
    #[must_use]
    pub fn maybe(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    /// Takes in a number.
    #[must_use]
    pub fn number(mut self, number: i64) -> Self {
        self.mix(u64::from_le_bytes(number.to_le_bytes()));
        self
    }

    /// Takes in an optional number; None differs from zero.
    #[must_use]
    pub fn maybe_number(self, number: Option<i64>) -> Self {
        match number {
            Some(number) => self.number(1).number(number),
            None => self.number(0),
        }
    }

    /// The seal as the store keeps it.
    #[must_use]
    pub fn finish(self) -> i64 {
        i64::from_le_bytes(self.0.to_le_bytes())
    }

    fn mix(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23) ^ (self.0 >> 31);
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[test]
    fn a_moved_character_changes_the_seal() {
        let one = Seal::default().text("ab").text("c").finish();
        let two = Seal::default().text("a").text("bc").finish();
        assert_ne!(one, two);
        assert_ne!(Seal::default().maybe(None).finish(), Seal::default().maybe(Some("")).finish());
        assert_ne!(Seal::default().maybe_number(None).finish(), Seal::default().maybe_number(Some(0)).finish());
    }
}
