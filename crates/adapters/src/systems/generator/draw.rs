//! Randomness that stays the same for ever: a keyed stream for decisions, and a hash for details.
//!
//! Promises: the numbers depend on the seed and on the code in this file and `ChaCha8`'s definition alone, not on how a
//! library of this year turns words into floats or ranges; a weight of zero is never drawn.
//! Leaves to others: what the numbers decide (`stream`) and what they look like (`person`).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The stream of decisions, one after another.
#[derive(Debug, Clone)]
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        let mut details = Details::new(&[seed]);
        let mut key = [0; 32];
        for chunk in key.chunks_exact_mut(8) {
            chunk.copy_from_slice(&details.next().to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number from 0 up to but not 1, with 53 bits.
    pub(super) fn unit(&mut self) -> f64 {
        let whole = (self.0.next_u64() >> 11) as f64;
        whole / 9_007_199_254_740_992.0
    }

    /// An index below `length`, which must not be 0.
    pub(super) fn index(&mut self, length: usize) -> usize {
        scale(self.0.next_u64(), length)
    }
}

/// Numbers that belong to one key: asking for them again gives them again, in any order of the keys.
#[derive(Debug, Clone)]
pub(super) struct Details(u64);

impl Details {
    pub(super) fn new(key: &[u64]) -> Self {
        Self(key.iter().fold(0, |state, part| mix(state.wrapping_add(GOLDEN) ^ mix(*part))))
    }

    /// The next number (SplitMix64).
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// An index below `length`, which must not be 0.
    pub(super) fn index(&mut self, length: usize) -> usize {
        scale(self.next(), length)
    }

    /// One of `choices`, which must not be empty.
    pub(super) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.index(choices.len())]
    }
}

/// Shares of `N` choices; where none is above zero the first is drawn.
#[derive(Debug, Clone)]
pub(super) struct Weights<const N: usize> {
    shares: [f64; N],
}

impl<const N: usize> Weights<N> {
    pub(super) const fn new(shares: [f64; N]) -> Self {
        Self { shares }
    }

    /// The choice at `unit` (0 up to but not 1) of the whole.
    pub(super) fn pick(&self, unit: f64) -> usize {
        pick(&self.shares, unit).unwrap_or(0)
    }

    /// Likewise with one choice taken out; None if nothing is left.
    pub(super) fn pick_other(&self, unit: f64, except: usize) -> Option<usize> {
        let mut shares = self.shares;
        shares[except] = 0.0;
        pick(&shares, unit)
    }
}

fn pick(shares: &[f64], unit: f64) -> Option<usize> {
    let mut rest = unit * shares.iter().sum::<f64>();
    let mut chosen = None;
    for (index, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        chosen = Some(index);
        if rest < *share {
            break;
        }
        rest -= share;
    }
    chosen
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// `word` of 2^64 as a share of `length`: the product's upper half, which is below `length`.
const fn scale(word: u64, length: usize) -> usize {
    ((word as u128 * length as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut draws = Draws::new(42);
        let mut details = Details::new(&[42, 7]);
        let seen = (draws.index(1_000_000), draws.index(1_000_000), details.index(1_000_000), details.index(1_000_000));
        assert_eq!(seen, (586_017, 425_349, 671_714, 944_251));
    }

    #[test]
    fn a_zero_share_is_never_drawn() {
        let weights = Weights::new([0.0, 0.5, 0.0, 0.5, 0.0]);
        assert_eq!(weights.pick(0.0), 1);
        assert_eq!(weights.pick(0.499), 1);
        assert_eq!(weights.pick(0.5), 3);
        assert_eq!(weights.pick(0.999_999_999_999), 3);
        assert_eq!(weights.pick_other(0.9, 3), Some(1));
        assert_eq!(Weights::new([1.0, 0.0]).pick_other(0.5, 0), None);
    }
}
