//! Which keys may change while the process runs.
//!
//! Promises: what is not named here needs a start. Leaves to others: comparing configurations (`written`), exchanging the parts
//! (`crate::reload`).

use syncline_core::config_entry::KeyChange;
use syncline_engine::codes::Code;

use super::faults::{Fault, Faults};
use super::written::Written;

/// Sections that may change as a whole.
const SECTIONS: [&str; 6] = ["log", "routing", "record_types", "boundaries", "dispatch", "intake"];
/// Keys of a system that may change.
const OF_SYSTEMS: [&str; 9] = ["auth", "token", "service_key", "oauth", "api_version", "timeout", "linger_max", "concurrency", "quota"];

/// Whether a key may change while the process runs. `has_api` says that callers are listened to before and after.
fn is_live(path: &str, has_api: bool) -> bool {
    let mut keys = path.split(['.', '[']);
    match (keys.next(), keys.next(), keys.next()) {
        (Some("systems"), Some(_), Some(key)) => OF_SYSTEMS.contains(&key),
        (Some("api"), Some("tokens"), _) => has_api,
        (Some(section), ..) => SECTIONS.contains(&section),
        (None, ..) => false,
    }
}

/// Faults of what changed and may not; none if all may.
pub(super) fn judge(file: &str, text: &str, written: &Written, changes: &[KeyChange], has_api: bool) -> Option<Faults> {
    let fixed = changes.iter().filter(|change| !is_live(&change.path, has_api));
    let fault = |change: &KeyChange| Fault {
        code: Code::NeedsStart,
        place: written.place(&change.path),
        path: change.path.clone(),
        message: "cannot change while the process runs".to_owned(),
        remedy: "start the process anew with it, or put back what stood there".to_owned(),
    };
    let faults: Vec<_> = fixed.map(fault).collect();
    (!faults.is_empty()).then(|| Faults::new(file, text, faults, &[]).of_change())
}

#[cfg(test)]
mod tests {
    use super::is_live;

    #[test]
    fn what_a_lane_or_intake_can_exchange_may_change_and_nothing_else() {
        for live in ["log", "routing", "routing.lead[0]", "boundaries.crm.on_gone", "dispatch.fuse.min", "systems.crm.quota.use", "systems.crm.auth.jwt_bearer.key", "api.tokens[0].name"] {
            assert!(is_live(live, true), "{live}");
        }
        for fixed in ["store", "data", "tenants", "systems", "systems.crm", "systems.crm.kind", "systems.crm.url", "systems.feed.path", "api.listen", "api.limits.rate", ""] {
            assert!(!is_live(fixed, true), "{fixed}");
        }
        assert!(!is_live("api.tokens[0].name", false));
    }
}
