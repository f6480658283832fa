//! What a newer table of prices has changed.

use super::{PriceTable, RegionPrices, table::cost_the_same};
use crate::protocol::Architecture;

/// Something that has a price or, as a tier, an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Request,
    /// A GB-second of memory in a tier, counted from 0.
    Tier(Architecture, usize),
    /// The end of a tier, in GB-seconds.
    TierEnd(Architecture, usize),
    /// A GB-second of ephemeral storage.
    Storage,
}

/// What changed in the same way in some regions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PriceChange {
    pub(crate) item: Item,
    /// None if it is new.
    pub(crate) old: Option<f64>,
    /// None if it is gone.
    pub(crate) new: Option<f64>,
    pub(crate) regions: Vec<String>,
}

/// The difference between two tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) prices: Vec<PriceChange>,
    /// The regions that only the newer table has.
    pub(crate) new_regions: Vec<String>,
}

impl Changes {
    pub(crate) fn between(old: &PriceTable, new: &PriceTable) -> Self {
        let mut changes = Self::default();
        for (region, prices) in &new.regions {
            match old.regions.get(region) {
                Some(before) => changes.add(region, before, prices),
                None => changes.new_regions.push(region.clone()),
            }
        }
        changes
    }

    fn add(&mut self, region: &str, old: &RegionPrices, new: &RegionPrices) {
        let (old, new) = (items(old), items(new));
        let gone = old.iter().map(|(item, _)| *item).filter(|item| value(&new, *item).is_none());
        for item in new.iter().map(|(item, _)| *item).chain(gone) {
            let (old, new) = (value(&old, item), value(&new, item));
            if old.zip(new).is_some_and(|(old, new)| cost_the_same(old, new)) {
                continue;
            }
            let alike = |change: &&mut PriceChange| (change.item, change.old, change.new) == (item, old, new);
            match self.prices.iter_mut().find(alike) {
                Some(change) => change.regions.push(region.to_owned()),
                None => self.prices.push(PriceChange { item, old, new, regions: vec![region.to_owned()] }),
            }
        }
    }
}

fn items(prices: &RegionPrices) -> Vec<(Item, f64)> {
    let mut items = vec![(Item::Request, prices.request_usd)];
    for architecture in Architecture::ALL {
        for (index, tier) in prices.tiers(architecture).iter().enumerate() {
            items.push((Item::Tier(architecture, index), tier.gb_second_usd));
            items.extend(tier.up_to_gb_seconds.map(|end| (Item::TierEnd(architecture, index), end)));
        }
    }
    items.push((Item::Storage, prices.ephemeral_gb_second_usd));
    items
}

fn value(items: &[(Item, f64)], wanted: Item) -> Option<f64> {
    items.iter().find(|(item, _)| *item == wanted).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_alike_is_named_once() {
        let old = PriceTable::built_in().only(&["eu-west-1", "us-east-1", "us-east-2"].map(str::to_owned)).unwrap();
        assert_eq!(Changes::between(&old, &old), Changes::default());
        let mut new = old.clone();
        for (name, prices) in &mut new.regions {
            if name != "us-east-2" {
                prices.request_usd = 3e-7;
            }
        }
        let tiers = &mut new.regions.get_mut("us-east-2").unwrap().x86_64;
        tiers.remove(1);
        tiers[0].up_to_gb_seconds = Some(5e9);
        let change = |item, old, new, regions: &[&str]| PriceChange {
            item,
            old,
            new,
            regions: regions.iter().map(|name| (*name).to_owned()).collect(),
        };
        let x86_64 = Architecture::X86_64;
        let changes = Changes::between(&old, &new);
        assert_eq!(
            changes.prices,
            [
                change(Item::Request, Some(2e-7), Some(3e-7), &["eu-west-1", "us-east-1"]),
                change(Item::TierEnd(x86_64, 0), Some(6e9), Some(5e9), &["us-east-2"]),
                change(Item::Tier(x86_64, 1), Some(0.000_015), Some(0.000_013_333_4), &["us-east-2"]),
                change(Item::TierEnd(x86_64, 1), Some(15e9), None, &["us-east-2"]),
                change(Item::Tier(x86_64, 2), Some(0.000_013_333_4), None, &["us-east-2"]),
            ]
        );
        assert_eq!(changes.new_regions, [""; 0]);
        let fewer = old.only(&["us-east-1".to_owned()]).unwrap();
        assert_eq!(Changes::between(&fewer, &old).new_regions, ["eu-west-1", "us-east-2"]);
    }
}
