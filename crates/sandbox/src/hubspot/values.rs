//! Checks one property value and brings it into the form in which HubSpot stores it.
//!
//! Promises: `""` clears; email is lower-cased; numbers, dates, options and white space are judged as HubSpot's types demand.
//! Leaves to others: uniqueness (`store`), read-only and unknown properties (`write`).

use super::config::Switches;
use super::errors::Invalid;
use super::schema::{Kind, Property};
use super::stamp;

/// HubSpot's limit for text, in characters.
const TEXT_MAX: usize = 65_536;

/// The stored form of a value, None to clear.
pub(super) fn check(property: &Property, value: &str, stored: Option<&str>, switches: &Switches) -> Result<Option<Box<str>>, Invalid> {
    if value.is_empty() {
        return Ok(None);
    }
    if property.name.as_ref() == "email" {
        return email(value).map(Some);
    }
    if property.kind == Kind::String {
        return text(property, value, switches);
    }
    if value.trim() != value || value.starts_with('\u{feff}') || value.ends_with('\u{200b}') {
        return Err(invalid(property, "LEADING_TRAILING_WHITESPACE", format!("\"{value}\" includes leading or trailing whitespace.")));
    }
    match property.kind {
        Kind::Number => number(property, value),
        Kind::Bool if value == "true" || value == "false" => Ok(Some(value.into())),
        Kind::Bool => Err(invalid(property, "INVALID_OPTION", format!("{value} was not one of the allowed options: [true, false]"))),
        Kind::Enumeration => option(property, value, stored).map(Some),
        Kind::Date => date(property, value).map(Some),
        Kind::Datetime => match stamp::read_datetime(value) {
            Some(at) => Ok(Some(stamp::iso(at).into())),
            None => Err(invalid(property, "INVALID_LONG", format!("{value} was not a valid long."))),
        },
        Kind::PhoneNumber | Kind::String => Ok(Some(value.into())),
    }
}

fn invalid(property: &Property, code: &str, message: String) -> Invalid {
    Invalid { property: property.name.to_string(), code: code.to_owned(), message }
}

fn text(property: &Property, value: &str, switches: &Switches) -> Result<Option<Box<str>>, Invalid> {
    if value.len() > TEXT_MAX && value.chars().count() > TEXT_MAX {
        // Neither the code nor the text of this refusal is on record.
        let message = format!("Property \"{}\" is too long: at most {TEXT_MAX} characters are allowed.", property.name);
        return Err(invalid(property, "PROPERTY_VALUE_TOO_LONG", message));
    }
    let kept = if switches.text_trimmed { value.trim() } else { value };
    Ok((!kept.is_empty()).then(|| kept.into()))
}

fn email(value: &str) -> Result<Box<str>, Invalid> {
    if is_email(value) {
        return Ok(value.to_lowercase().into());
    }
    Err(Invalid { property: "email".to_owned(), code: "INVALID_EMAIL".to_owned(), message: format!("Email address {value} is invalid") })
}

/// Syntax, and a top-level domain that is not one of the known slips: HubSpot refuses `a@b.con`.
fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(atom)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let Some((host, top)) = domain.rsplit_once('.') else { return false };
    let top = top.to_lowercase();
    let top_ok = top.chars().count() >= 2 && !top.chars().any(|c| c.is_ascii_digit() && !top.starts_with("xn--"));
    local_ok && domain.len() <= 255 && host.split('.').all(label_ok) && label_ok(&top) && top_ok && !["con", "cmo", "ocm", "invalid"].contains(&top.as_str())
}

fn number(property: &Property, value: &str) -> Result<Option<Box<str>>, Invalid> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let whole = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    if whole && digits.matches('.').count() <= 1 && digits.contains(|c: char| c.is_ascii_digit()) {
        return Ok(Some(value.into()));
    }
    Err(invalid(property, "INVALID_INTEGER", format!("{value} was not a valid number.")))
}

fn date(property: &Property, value: &str) -> Result<Box<str>, Invalid> {
    if value.parse::<jiff::civil::Date>().is_ok() && value.len() == 10 {
        return Ok(value.into());
    }
    let Some(at) = stamp::read_datetime(value) else {
        return Err(invalid(property, "INVALID_DATE", format!("{value} was not a valid date.")));
    };
    match stamp::midnight_day(at) {
        Some(day) => Ok(day.into()),
        None => Err(invalid(property, "INVALID_DATE", format!("{at} is at {} UTC, not midnight!", stamp::clock_text(at)))),
    }
}

/// One option, or for a checkbox property several joined by `;`; a leading `;` appends to what is stored.
fn option(property: &Property, value: &str, stored: Option<&str>) -> Result<Box<str>, Invalid> {
    let is_known = |choice: &str| property.options.iter().any(|known| known.value == choice);
    if property.external_options {
        let numeric = value.chars().all(|c| c.is_ascii_digit());
        return if numeric { Ok(value.into()) } else { Err(not_an_option(property, value)) };
    }
    if property.field_type != "checkbox" {
        return if is_known(value) { Ok(value.into()) } else { Err(not_an_option(property, value)) };
    }
    let mut chosen: Vec<&str> = match (value.starts_with(';'), stored) {
        (true, Some(stored)) => stored.split(';').collect(),
        _ => Vec::new(),
    };
    for choice in value.split(';').filter(|choice| !choice.is_empty()) {
        if !is_known(choice) {
            return Err(not_an_option(property, choice));
        }
        if !chosen.contains(&choice) {
            chosen.push(choice);
        }
    }
    Ok(chosen.join(";").into())
}

fn not_an_option(property: &Property, value: &str) -> Invalid {
    let allowed: Vec<String> = property
        .options
        .iter()
        .map(|choice| {
            format!(
                "label: \"{}\"\nvalue: \"{}\"\ndisplay_order: {}\nhidden: {}\nread_only: false\n",
                choice.label, choice.value, choice.display_order, choice.hidden
            )
        })
        .collect();
    invalid(property, "INVALID_OPTION", format!("{value} was not one of the allowed options: [{}]", allowed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::config::{ExtraProperty, HubSpotConfig};
    use super::super::schema::Schema;
    use super::{check, is_email};

    fn verdict(kind: &str, value: &str) -> String {
        let extra = ExtraProperty { name: "p".into(), kind: kind.into(), unique: false, options: vec!["a".into(), "b".into()] };
        let config = HubSpotConfig { properties: vec![extra], ..HubSpotConfig::default() };
        let schema = Schema::new(&config);
        match check(schema.get("p").unwrap(), value, None, &config.switches) {
            Ok(stored) => stored.map_or_else(|| "cleared".to_owned(), Into::into),
            Err(invalid) => invalid.code,
        }
    }

    #[test]
    fn types_on_the_wire() {
        for (kind, value, want) in [
            ("string", " kept ", " kept "),
            ("string", "", "cleared"),
            ("number", "12.5", "12.5"),
            ("number", "1,000", "INVALID_INTEGER"),
            ("number", "1.2.3", "INVALID_INTEGER"),
            ("number", " 1", "LEADING_TRAILING_WHITESPACE"),
            ("bool", "true", "true"),
            ("bool", "True", "INVALID_OPTION"),
            ("enumeration", "a", "a"),
            ("enumeration", "A", "INVALID_OPTION"),
            ("date", "2026-09-14", "2026-09-14"),
            ("date", "1789344000000", "2026-09-14"),
            ("date", "1786334400000", "INVALID_DATE"),
            ("date", "soon", "INVALID_DATE"),
            ("datetime", "2026-09-14T09:00:00+02:00", "2026-09-14T07:00:00Z"),
            ("datetime", "soon", "INVALID_LONG"),
        ] {
            assert_eq!(verdict(kind, value), want, "{kind} {value:?}");
        }
        assert_eq!(verdict("string", &"x".repeat(65_536)).len(), 65_536);
        assert_eq!(verdict("string", &"x".repeat(65_537)), "PROPERTY_VALUE_TOO_LONG");
    }

    #[test]
    fn email_syntax() {
        for good in ["ada@acme.example", "a+b@x.co", "O'Hara@sub.acme.museum", "a@xn--bcher-kva.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["ada", "ada@", "@acme.example", "a b@acme.example", "a@acme", "a@b.con", "a@b..example", ".a@b.example", "a@b.c1", "a@@b.example"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
