//! The variants of a campaign, by their place in it.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Unexpected, Visitor},
};
use std::{
    fmt,
    ops::{Index, IndexMut},
};

/// The most variants of a campaign.
pub const MAX_VARIANTS: usize = 64;

/// The place of a variant in its campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct VariantIndex(u8);

impl VariantIndex {
    /// The first `count` places.
    pub fn first(count: usize) -> impl Iterator<Item = Self> {
        (0..count).map(|place| Self(place as u8))
    }

    /// The place as a number.
    pub fn get(self) -> usize {
        self.0.into()
    }
}

#[cfg(test)]
impl VariantIndex {
    /// The places of two variants.
    pub(crate) fn both() -> [Self; 2] {
        [Self(0), Self(1)]
    }
}

impl fmt::Display for VariantIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A number, or a side as files of schema 1 name it.
impl<'de> Deserialize<'de> for VariantIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IndexVisitor)
    }
}

struct IndexVisitor;

impl Visitor<'_> for IndexVisitor {
    type Value = VariantIndex;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the number of a variant, below {MAX_VARIANTS}")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<VariantIndex, E> {
        match u8::try_from(number) {
            Ok(place) if usize::from(place) < MAX_VARIANTS => Ok(VariantIndex(place)),
            _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_str<E: de::Error>(self, side: &str) -> Result<VariantIndex, E> {
        match side {
            "baseline" => Ok(VariantIndex(0)),
            "candidate" => Ok(VariantIndex(1)),
            _ => Err(E::invalid_value(Unexpected::Str(side), &self)),
        }
    }
}

/// A value for each variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Variants<T>(Vec<T>);

impl<T> Variants<T> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Their places.
    pub fn indices(&self) -> impl Iterator<Item = VariantIndex> + use<T> {
        VariantIndex::first(self.0.len())
    }

    /// The values, each with its place.
    pub fn iter(&self) -> impl Iterator<Item = (VariantIndex, &T)> {
        self.indices().zip(&self.0)
    }

    /// The values, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (VariantIndex, &mut T)> {
        self.indices().zip(&mut self.0)
    }

    /// The value of a variant, if there is that variant.
    pub fn get(&self, index: VariantIndex) -> Option<&T> {
        self.0.get(index.get())
    }

    /// Maps the value of each variant.
    pub fn map<'a, U>(&'a self, mut make: impl FnMut(VariantIndex, &'a T) -> U) -> Variants<U> {
        self.iter().map(|(index, value)| make(index, value)).collect()
    }
}

impl<T: Default> Variants<T> {
    /// A default value for each of `count` variants.
    pub fn defaults(count: usize) -> Self {
        std::iter::repeat_with(T::default).take(count).collect()
    }
}

impl<T> FromIterator<T> for Variants<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<T> Index<VariantIndex> for Variants<T> {
    type Output = T;

    fn index(&self, index: VariantIndex) -> &T {
        &self.0[index.get()]
    }
}

impl<T> IndexMut<VariantIndex> for Variants<T> {
    fn index_mut(&mut self, index: VariantIndex) -> &mut T {
        &mut self.0[index.get()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_read_as_a_number_or_as_a_side() {
        let read = |text: &str| serde_json::from_str::<VariantIndex>(text).map_err(|error| error.to_string());
        assert_eq!(read("63"), Ok(VariantIndex(63)));
        assert_eq!(read("\"candidate\""), Ok(VariantIndex(1)));
        for wrong in ["64", "256", "-1", "\"arm64\"", "1.5"] {
            assert!(read(wrong).unwrap_err().contains("the number of a variant, below 64"), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&VariantIndex(1)).unwrap(), "1");
    }
}
