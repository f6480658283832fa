//! What is going to be made and called.

use super::{TryArgs, memory_sizes::MemorySize, search};
use crate::{
    analysis::memory_search,
    campaign::{
        Auth, Target,
        aws::Session,
        clones::{CampaignId, CloneName, CloneSettings, Resource, Template},
        function_arn::FunctionArn,
        manifest::{Cell, Manifest, Place, Plan, Variant},
        owner::Owner,
        trial::{Trial, Usage},
        unix_ms, usage,
        variants::{MAX_VARIANTS, VariantIndex, Variants},
    },
    cli::{
        output::note,
        prices,
        run::{campaign_options::check_sizes, new_directory, pricing, variant_names},
        wrong_arguments::refuse,
    },
    report::plan,
};
use anyhow::Context;
use std::{collections::BTreeSet, path::PathBuf};

/// A trial before anything is made.
pub(super) struct TrialPlan {
    pub(super) directory: PathBuf,
    pub(super) owner: Owner,
    pub(super) campaign: CampaignId,
    pub(super) template: Template,
    /// That of the function as it is, then the others.
    pub(super) settings: Vec<CloneSettings>,
    /// The campaign with all clones, as they will be.
    pub(super) manifest: Manifest,
    pub(super) place: Place,
    /// Whether not all of it is made, but what a search finds.
    pub(super) is_search: bool,
}

impl TrialPlan {
    /// `arn` is that of the function.
    pub(super) async fn new(
        args: &TryArgs,
        cells: Vec<Cell>,
        template: Template,
        arn: &str,
        session: &Session,
    ) -> anyhow::Result<Self> {
        let function = template.configuration();
        let own = CloneSettings { architecture: function.architecture, memory_mb: function.memory_mb };
        let settings = settings(own, args);
        match settings.len() {
            1 => refuse!(
                "there is nothing to compare: name other sizes with --memory, or another architecture with --architectures"
            ),
            2..=MAX_VARIANTS => {}
            many => {
                refuse!("{many} clones are more than {MAX_VARIANTS}, the most that a campaign has: name fewer sizes")
            }
        }
        let table = prices::table(args.campaign.prices.as_ref())?;
        let directory = new_directory(args.out.clone());
        let owner = Owner::this_process(&directory);
        let campaign = CampaignId::new(&owner);
        let arn_of = |settings| FunctionArn(arn).beside(&CloneName::new(&campaign, settings).to_string());
        let targets: Vec<Target> = settings.iter().map(|settings| target(arn_of(*settings))).collect();
        check_sizes(&cells, &targets)?;
        let place = session.place(&targets[0], Auth::SigV4).await.context("looking for the place of the clones")?;
        let place = place.context("clones are functions, which have a place")?;
        let variant = |(target, settings): (&Target, &CloneSettings)| Variant {
            name: String::new(),
            target: target.clone(),
            place: Some(place.clone()),
            configuration: Some(template.configuration_of(&arn_of(*settings), *settings)),
            program: None,
            price: None,
            ended: None,
        };
        let variants: Vec<Variant> = targets.iter().zip(&settings).map(variant).collect();
        let names = variant_names::names(&vec![None; variants.len()], &variants)?;
        let named = variants.into_iter().zip(names).map(|(variant, name)| Variant { name, ..variant });
        let mut variants: Variants<Variant> = named.collect();
        pricing::set_prices(&mut variants, &table, session).await?;
        let hooks = args.campaign.hooks.hooks(session).await?;
        let (plan, limits) = (args.campaign.plan(cells, &variants), args.campaign.limits());
        let plan = Plan { hooks, ..plan };
        let not_wanted = args.no_probe.then_some("--no-probe leaves it out");
        let no_probe = not_wanted.or(template.obstacle_of_probe()).map(str::to_owned);
        let usage = usage(arn, session).await;
        let trial = Trial { function, not_made: Vec::new(), no_probe, search: None, usage };
        let manifest = Manifest::new(variants, VariantIndex::default(), plan, limits);
        let manifest = args.campaign.census.added_to(Manifest { trial: Some(trial), ..manifest })?;
        let plan =
            Self { directory, owner, campaign, template, settings, manifest, place, is_search: args.searches_memory() };
        if plan.is_search {
            search::check(&plan, args)?;
        }
        args.campaign.census.check(&plan.manifest)?;
        args.campaign.check(&plan.manifest)?;
        Ok(plan)
    }

    /// What will be made, what it does, and what it may cost.
    pub(super) fn text(&self) -> String {
        let names: Vec<String> =
            self.settings.iter().map(|settings| CloneName::new(&self.campaign, *settings).to_string()).collect();
        let role = self.template.role().unwrap_or("unknown");
        let probe = Resource::Probe(self.campaign.clone()).to_string();
        let blocks = self.is_search.then_some(search::BLOCKS);
        plan::trial_plan(&self.manifest, &names, &probe, role, self.template.has_file_systems(), blocks)
    }
}

/// The clones to make: of the function as it is, then of each architecture and size.
fn settings(own: CloneSettings, args: &TryArgs) -> Vec<CloneSettings> {
    let named = args.memory.iter().flat_map(|size| match size {
        MemorySize::Auto => memory_search::SIZES.to_vec(),
        MemorySize::Mb(size) => vec![*size],
    });
    let sizes: BTreeSet<u32> = named.chain([own.memory_mb]).collect();
    let architectures: BTreeSet<_> = args.architectures.iter().copied().collect();
    let of_architecture =
        |architecture| sizes.iter().map(move |memory_mb| CloneSettings { architecture, memory_mb: *memory_mb });
    let others = architectures.into_iter().rev().flat_map(of_architecture).filter(|settings| *settings != own);
    std::iter::once(own).chain(others).collect()
}

/// How the function was used lately; none if that cannot be read, which is only reported.
async fn usage(arn: &str, session: &Session) -> Option<Usage> {
    let name = FunctionArn(arn).name()?;
    let read = usage::read(session, name, unix_ms()).await;
    read.inspect_err(|failure| note(format_args!("How often the function is called is not known: {failure}"))).ok()
}

fn target(arn: String) -> Target {
    Target::Function { name: arn, qualifier: None }
}
