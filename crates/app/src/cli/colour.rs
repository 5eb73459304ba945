//! Whether the command line colours what it says.
//!
//! Promises: `--color` wins, then NO_COLOR, then FORCE_COLOR, then CLICOLOR=0 and a dumb terminal; else colours are for terminals alone.
//! Leaves to others: what is coloured (`console`).

use clap::ValueEnum;

/// What `--color` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ColorWish {
    /// On a terminal, unless NO_COLOR is set or the terminal is dumb
    #[default]
    Auto,
    /// In pipes, too
    Always,
    /// Nowhere
    Never,
}

impl ColorWish {
    /// What a command line says before it is parsed, so that its own faults are told as it wishes.
    pub(super) fn of(args: impl Iterator<Item = String>) -> Self {
        let mut wish = Self::Auto;
        let mut is_next = false;
        for arg in args.take_while(|arg| arg != "--") {
            let said = if std::mem::take(&mut is_next) { Some(arg.as_str()) } else { arg.strip_prefix("--color=") };
            is_next = arg == "--color";
            wish = said.and_then(|said| Self::from_str(said, false).ok()).unwrap_or(wish);
        }
        wish
    }

    /// Whether an output is coloured.
    pub(super) fn is_granted(self, env: &dyn Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
        let says = |name: &str| env(name).filter(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if says("NO_COLOR").is_some() => false,
            Self::Auto if says("FORCE_COLOR").is_some_and(|value| value != "0") => true,
            Self::Auto => is_terminal && says("CLICOLOR").as_deref() != Some("0") && says("TERM").as_deref() != Some("dumb"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ColorWish;

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_terminal() {
        let none = |_: &str| None;
        let set = |named: &'static str, value: &'static str| move |name: &str| (name == named).then(|| value.to_owned());
        assert!(ColorWish::Auto.is_granted(&none, true));
        assert!(!ColorWish::Auto.is_granted(&none, false));
        assert!(!ColorWish::Auto.is_granted(&set("NO_COLOR", "1"), true));
        assert!(ColorWish::Auto.is_granted(&set("NO_COLOR", ""), true));
        assert!(ColorWish::Auto.is_granted(&set("FORCE_COLOR", "1"), false));
        assert!(!ColorWish::Auto.is_granted(&set("FORCE_COLOR", "0"), false));
        assert!(!ColorWish::Auto.is_granted(&set("TERM", "dumb"), true));
        assert!(!ColorWish::Auto.is_granted(&set("CLICOLOR", "0"), true));
        assert!(ColorWish::Always.is_granted(&set("NO_COLOR", "1"), false));
        assert!(!ColorWish::Never.is_granted(&set("FORCE_COLOR", "1"), true));
    }

    #[test]
    fn the_wish_is_found_before_parsing() {
        let of = |args: &[&str]| ColorWish::of(args.iter().map(|arg| (*arg).to_owned()));
        assert_eq!(of(&["ledger", "--color=always"]), ColorWish::Always);
        assert_eq!(of(&["--color", "never", "ledger"]), ColorWish::Never);
        assert_eq!(of(&["--color", "pink"]), ColorWish::Auto);
        assert_eq!(of(&["map", "--", "--color=always"]), ColorWish::Auto);
    }
}
