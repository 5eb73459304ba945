//! Tokens for callers: kept by digest, listed without a secret, revoked for ever.
//!
//! Promises: durable before it is answered; a running door obeys at once. A name is given once, so what a list or a log says of it
//! stays true. Leaves to others: making the secret, which never comes here (the command).

use serde::{Deserialize, Serialize};
use syncline_core::change_set::ChangeSet;
use syncline_core::token::{Token, TokenScope};
use syncline_engine::error::{Error, Kind, Result};

use super::{Context, moment};
use crate::config::TENANT;

/// A token as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scope: String,
    /// Whose data it reaches.
    pub tenant: String,
    /// The first digits of its digest.
    pub digest: String,
    /// When it was made; none for those of the configuration.
    pub created_at: Option<String>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<String>,
}

/// How much of a digest is shown.
const DIGITS_SHOWN: usize = 12;

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        Self {
            name: token.name.clone(),
            scope: token.scope.name().to_owned(),
            tenant: token.tenant.clone(),
            digest: token.digest.chars().take(DIGITS_SHOWN).collect(),
            created_at: Some(moment::told(token.created_at)),
            revoked_at: token.revoked_at.map(moment::told),
        }
    }
}

/// Every token, those of the configuration first.
pub(super) async fn list(context: &dyn Context) -> Result<Vec<TokenView>> {
    let config = context.config();
    let configured = config.as_ref().and_then(|config| config.api.as_ref()).map(|api| api.tokens.as_slice()).unwrap_or_default();
    let configured = configured.iter().map(|token| TokenView {
        name: token.name.clone(),
        scope: TokenScope::Events.name().to_owned(),
        tenant: token.tenant.clone(),
        digest: token.sha256.chars().take(DIGITS_SHOWN).collect(),
        created_at: None,
        revoked_at: None,
    });
    let kept = context.store().tokens().await?;
    Ok(configured.chain(kept.iter().map(TokenView::from)).collect())
}

/// Keeps a new token.
pub(super) async fn create(context: &dyn Context, name: &str, digest: &str) -> Result<Vec<TokenView>> {
    if list(context).await?.iter().any(|token| token.name == name) {
        let remedy = "give it another name; a name is given once, also if its token was revoked";
        return Err(Error::new(Kind::Operator, format!("there is a token {name} already")).with_remedy(remedy));
    }
    let token = Token {
        name: name.to_owned(),
        scope: TokenScope::Events,
        tenant: TENANT.to_owned(),
        digest: digest.to_owned(),
        created_at: context.now(),
        revoked_at: None,
    };
    put(context, token).await
}

/// Revokes a token; one that is revoked already stays as it is.
pub(super) async fn revoke(context: &dyn Context, name: &str) -> Result<Vec<TokenView>> {
    let kept = context.store().tokens().await?;
    let Some(token) = kept.iter().find(|token| token.name == name) else {
        let remedy = "`syncline tokens list` shows them; one of the configuration is revoked by taking it out there";
        return Err(Error::new(Kind::Operator, format!("the store has no token {name}")).with_remedy(remedy));
    };
    if token.revoked_at.is_some() {
        return Ok(vec![token.into()]);
    }
    put(context, Token { revoked_at: Some(context.now()), ..token.clone() }).await
}

async fn put(context: &dyn Context, token: Token) -> Result<Vec<TokenView>> {
    let view = TokenView::from(&token);
    context.store().commit(ChangeSet { tokens: vec![token], ..ChangeSet::default() }).await?;
    context.tokens_changed().await?;
    Ok(vec![view])
}
