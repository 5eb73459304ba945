//! The operators' door: questions and wishes, answered by the running process or over a store that nobody has open.
//!
//! Promises: one function, `operate`, carries out every request, so an answer is the same through the socket and without a
//! process. The socket lies in the data directory, only its owner may use it, and it goes with the process.
//! Leaves to others: what a wish does (`engine::operator`, the lanes), words for people (`cli`).

mod client;
mod configuration;
mod context;
mod events;
mod happenings;
mod ledger;
mod letters;
pub(crate) mod moment;
mod offline;
mod pauses;
mod place;
mod preview;
mod quota;
mod record;
mod request;
mod resync;
mod server;
mod tokens;

pub use client::{Conversation, Door};
pub use configuration::{EntryView, FaultView, HistoryView, ValueView, ValuesView};
pub use context::{Context, Names};
pub use events::{DeliveryView, EventEntry, EventPage, TraceView};
pub use happenings::{Happening, Past, Wish};
pub use ledger::{AuditView, LedgerView, SourceAccount, SystemAccount};
pub use letters::{Ended, LetterPage, LetterView, Replayed};
pub use offline::Offline;
pub use pauses::{PauseView, Scope};
pub use place::Place;
pub use preview::{Foreseen, ForeseenField, ForeseenWrite, RefusalView, Values};
pub use quota::{LaneView, PoolView, QuotaView};
pub use record::{AttemptView, BaseView, EventView, LinkView, OpenedView, RecordView, ReplacedView, ResyncView, VersionView};
pub use resync::{NeedView, PoolPrice, Price, ResyncPage, Selection, SystemPrice};
pub use request::{Answer, FORMAT_VERSION, Refusal, Reply, Request};
pub use server::{Control, start};
pub use tokens::TokenView;

use syncline_engine::error::{Error, Kind, Result};

/// Carries out a request.
///
/// # Errors
/// `Operator` if what is asked for does not exist or is not possible; what the store says.
pub async fn operate(request: &Request, context: &dyn Context) -> Result<Answer> {
    Ok(match request {
        Request::Record { record_type, key } => Answer::Record(Box::new(record::show(context, record_type, key).await?)),
        Request::Events { record, source, came_to, since, until, state, before, limit } => {
            let (source, came_to, state) = (source.as_deref(), came_to.as_deref(), state.as_deref());
            let wanted = events::Wanted { record: record.as_ref(), source, came_to, since: *since, until: *until, state };
            Answer::Events(events::list(context, &wanted, *before, *limit).await?)
        }
        Request::Past { wish, since, limit } => Answer::Past(happenings::past(context, wish, *since, *limit).await?),
        Request::Follow { .. } => {
            let remedy = "ask the running process itself, once for each conversation";
            return Err(Error::new(Kind::Operator, "only a running process can be followed").with_remedy(remedy));
        }
        Request::Trace { id } => Answer::Trace(Box::new(events::trace(context, *id).await?)),
        Request::Letters { all, after, limit } => Answer::Letters(letters::list(context, *all, *after, *limit).await?),
        Request::Letter { id } => Answer::Letter(Box::new(letters::show(context, *id).await?)),
        Request::Preview { ids } => Answer::Foreseen { letters: preview::preview(context, ids).await? },
        Request::Replay { ids } => Answer::Replayed(letters::replay(context, ids).await?),
        Request::Discard { id, reason } => Answer::Discarded(letters::discard(context, *id, reason).await?),
        Request::Ledger { verify } => Answer::Ledger(Box::new(ledger::view(context, *verify).await?)),
        Request::Quota => Answer::Quota(quota::view(context).await?),
        Request::Resync { selection, after, limit, open } => Answer::Resync(resync::page(context, selection, *after, *limit, *open).await?),
        Request::ResyncPrice { needs } => Answer::ResyncPrice(resync::price(context, needs).await?),
        Request::Tokens => Answer::Tokens { tokens: tokens::list(context).await? },
        Request::CreateToken { name, digest } => Answer::Tokens { tokens: tokens::create(context, name, digest).await? },
        Request::RevokeToken { name } => Answer::Tokens { tokens: tokens::revoke(context, name).await? },
        Request::Configure(wish) => Answer::Configured(Box::new(context.configure(wish).await?)),
        Request::ConfigValues => Answer::ConfigValues { values: context.values().map(Box::new) },
        Request::ConfigHistory { limit } => Answer::ConfigHistory(configuration::history(context, *limit).await?),
        Request::Pause { system, reason } => Answer::Pause(pauses::pause(context, system, reason.as_deref()).await?),
        Request::Resume { system } => Answer::Pause(pauses::resume(context, system).await?),
    })
}
