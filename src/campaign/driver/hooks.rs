//! Hooks around the blocks of a campaign.

use super::{Campaign, CampaignError, Observer, Outcome};
use crate::campaign::{
    hooks::{HookCall, HookEnd, HookKind, HookRunner},
    stop_request::asked,
};
use tokio::select;

impl Campaign<'_> {
    /// Runs these hooks around every block.
    pub(crate) fn with_hooks(self, hooks: Option<Box<dyn HookRunner>>) -> Self {
        Self { hooks, ..self }
    }

    /// Runs what is to be run before the block, if that has not been done. False if that was interrupted, so that no call
    /// may be made.
    pub(super) async fn open_block(&mut self) -> Result<bool, CampaignError> {
        let Some(hooks) = self.hooks.as_deref().filter(|_| self.open_block.is_none()) else { return Ok(true) };
        let block = self.progress.position.block;
        let end = hooks.run(HookCall { kind: HookKind::Before, block }, &self.stop).await?;
        self.open_block = (end == HookEnd::Done).then_some(block);
        Ok(self.open_block.is_some())
    }

    /// Runs what is to be run after the block whose calls are all made.
    pub(super) async fn close_complete_block(&mut self, observer: &mut dyn Observer) -> Result<(), CampaignError> {
        match self.open_block {
            Some(block) if block < self.progress.position.block => self.close_block(observer).await,
            _ => Ok(()),
        }
    }

    /// Runs what is to be run after the block that is open, even if the campaign is to end.
    pub(super) async fn close_block(&mut self, observer: &mut dyn Observer) -> Result<(), CampaignError> {
        let (Some(hooks), Some(block)) = (self.hooks.as_deref(), self.open_block.take()) else { return Ok(()) };
        let call = HookCall { kind: HookKind::After, block };
        let mut running = hooks.run(call, &self.stop);
        let mut shown = Ok(());
        let ended = select! {
            biased;
            ended = &mut running => ended,
            () = asked(&self.stop) => {
                shown = observer.warning(&format!("{call} is run to its end; Ctrl-C again leaves that undone"));
                running.await
            }
        };
        ended?;
        shown.map_err(CampaignError::Output)
    }
}

/// The end of a campaign after what is run last. That of the calls says more than that of a hook, if both are failures.
pub(super) fn with_last_hook(
    end: Result<Outcome, CampaignError>,
    closed: Result<(), CampaignError>,
    observer: &mut dyn Observer,
) -> Result<Outcome, CampaignError> {
    match (end, closed) {
        (Ok(_), Err(error)) => Err(error),
        (Err(end), Err(error)) => {
            // The error that is returned may be that nothing can be shown.
            let _ = observer.warning(&error.to_string());
            Err(end)
        }
        (end, Ok(())) => end,
    }
}
