//! Buckets of S3, by its REST protocol.

use crate::campaign::{
    aws::{self, AwsService, Session, endpoint, is_configured, percent_encoded},
    failure::{ATTEMPTS, Failure, FailureKind},
    pauses::Pauses,
};
use hyper::{Method, Response, StatusCode, body::Bytes};
use roxmltree::Document;
use std::time::Duration;
use tokio::time::sleep;

/// The header by which S3 refuses a bucket of another account than the one that is meant.
const OWNER: &str = "x-amz-expected-bucket-owner";

/// The header with the region of a bucket that is in another one.
const REGION: &str = "x-amz-bucket-region";

/// The longest pause between two attempts at a request.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A bucket.
#[derive(Debug)]
pub struct Bucket<'a> {
    session: &'a Session,
    name: &'a str,
    /// The URL of its root, without a slash at its end.
    url: String,
    /// The account that it has to belong to, if that is known.
    owner: Option<String>,
}

/// A version of an object, or the marker of a deleted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub key: String,
    id: String,
}

/// A page of the versions of objects, and where the next one begins.
#[derive(Debug, Default, PartialEq, Eq)]
struct Versions {
    versions: Vec<Version>,
    next: Option<Version>,
}

impl<'a> Bucket<'a> {
    /// A bucket that belongs to `owner`, if that is known.
    ///
    /// # Errors
    /// When there is no region, or no usable endpoint.
    pub async fn new(session: &'a Session, name: &'a str, owner: Option<&str>) -> Result<Self, Failure> {
        let config = session.config().await?;
        let endpoint = endpoint(config, AwsService::S3).await?;
        let url = url(&endpoint, name, is_configured(config, AwsService::S3)?);
        Ok(Self { session, name, url, owner: owner.map(str::to_owned) })
    }

    /// Checks that the bucket is there, in this region, and that it may be looked at.
    ///
    /// # Errors
    /// When it is not.
    pub async fn check(&self) -> Result<(), Failure> {
        let answer = self.ask(Method::HEAD, "", &[], Bytes::new()).await?;
        if answer.status().is_success() { Ok(()) } else { Err(self.failure("looking at it", &answer)) }
    }

    /// Puts an object there, if it is not there yet: its key tells its content. Gives whether it was not.
    ///
    /// # Errors
    /// When S3 does not take it.
    pub async fn put(&self, key: &str, content: &[u8]) -> Result<bool, Failure> {
        let path = path(key);
        // Without the permission to list the bucket, S3 does not tell that an object is missing: 403.
        if self.ask(Method::HEAD, &path, &[], Bytes::new()).await?.status().is_success() {
            return Ok(false);
        }
        let head = [("content-type", "application/zip")];
        let answer = self.ask(Method::PUT, &path, &head, Bytes::copy_from_slice(content)).await?;
        if answer.status().is_success() { Ok(true) } else { Err(self.failure(&format!("putting {key}"), &answer)) }
    }

    /// All versions of all objects; none if there is no such bucket.
    ///
    /// # Errors
    /// When S3 does not list them.
    pub async fn versions(&self) -> Result<Option<Vec<Version>>, Failure> {
        let mut all = Vec::new();
        let mut page =
            Versions { next: Some(Version { key: String::new(), id: String::new() }), ..Versions::default() };
        while let Some(from) = page.next.take() {
            let answer = self.ask(Method::GET, &listing(&from), &[], Bytes::new()).await?;
            if answer.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            if !answer.status().is_success() {
                return Err(self.failure("listing its objects", &answer));
            }
            page = versions(&String::from_utf8_lossy(answer.body()))
                .ok_or_else(|| Failure::refused(format!("S3's list of the objects of {} cannot be read", self.name)))?;
            all.append(&mut page.versions);
        }
        Ok(Some(all))
    }

    /// Deletes these versions.
    ///
    /// # Errors
    /// When S3 refuses.
    pub async fn delete(&self, versions: &[Version]) -> Result<(), Failure> {
        for Version { key, id } in versions {
            let path = format!("{}?versionId={}", path(key), percent_encoded(id, ""));
            let answer = self.ask(Method::DELETE, &path, &[], Bytes::new()).await?;
            if !answer.status().is_success() && answer.status() != StatusCode::NOT_FOUND {
                return Err(self.failure(&format!("deleting {key}"), &answer));
            }
        }
        Ok(())
    }

    /// Makes a request, again after failures that pass: each has the same effect as many times as it is made.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        head: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Response<Bytes>, Failure> {
        let url = format!("{}{path}", self.url);
        let owner = self.owner.iter().map(|owner| (OWNER, owner.as_str()));
        let head: Vec<(&str, &str)> = head.iter().copied().chain(owner).collect();
        let mut pauses = Pauses::new();
        for attempt in 1.. {
            let answer = aws::send(self.session, AwsService::S3, method.clone(), &url, &head, body.to_vec()).await;
            let is_passing = match &answer {
                Ok(answer) => answer.status() == StatusCode::TOO_MANY_REQUESTS || answer.status().is_server_error(),
                Err(failure) => failure.kind == FailureKind::Network,
            };
            if !is_passing || attempt == ATTEMPTS {
                return answer;
            }
            sleep(pauses.next(LONGEST_PAUSE)).await;
        }
        unreachable!("the last attempt gives its answer")
    }

    /// Why a request was refused. Answers to HEAD have no body.
    fn failure(&self, doing: &str, answer: &Response<Bytes>) -> Failure {
        let name = self.name;
        let of_region = answer.headers().get(REGION).and_then(|region| region.to_str().ok());
        let (status, body) = (answer.status(), String::from_utf8_lossy(answer.body()));
        let reason = match (status, of_region) {
            (
                StatusCode::MOVED_PERMANENTLY | StatusCode::TEMPORARY_REDIRECT | StatusCode::BAD_REQUEST,
                Some(region),
            ) => {
                return Failure::refused(format!(
                    "the bucket {name} is in {region}, and Lambda takes code from buckets in its own region alone: name one \
                     there with --bucket, or use --region {region}"
                ));
            }
            _ if !body.is_empty() => message(&body).unwrap_or_else(|| body.into_owned()),
            (StatusCode::NOT_FOUND, _) => "there is no such bucket".to_owned(),
            (StatusCode::FORBIDDEN, _) => "access is denied, or it belongs to another account".to_owned(),
            _ => "there is no reason given".to_owned(),
        };
        Failure::refused(format!("the bucket {name}: {doing}: HTTP {}: {reason}", status.as_u16()))
    }
}

/// The URL of a bucket. Emulators, and names with dots, for which no certificate is, take its name in the path.
fn url(endpoint: &str, name: &str, is_configured: bool) -> String {
    match endpoint.split_once("://") {
        Some((scheme, host)) if !is_configured && !name.contains('.') => format!("{scheme}://{name}.{host}"),
        _ => format!("{}/{name}", endpoint.trim_end_matches('/')),
    }
}

fn path(key: &str) -> String {
    format!("/{}", percent_encoded(key, "/"))
}

/// The request for the page that begins behind this version.
fn listing(from: &Version) -> String {
    let behind =
        format!("&key-marker={}&version-id-marker={}", percent_encoded(&from.key, ""), percent_encoded(&from.id, ""));
    format!("?versions{}", if from.key.is_empty() { "" } else { &behind })
}

/// Reads a page of versions, and of the markers of deleted objects.
fn versions(xml: &str) -> Option<Versions> {
    let document = Document::parse(xml).ok()?;
    let root = document.root_element();
    let text = |node: roxmltree::Node<'_, '_>, name: &str| {
        let child = node.children().find(|child| child.tag_name().name() == name);
        child.and_then(|child| child.text()).map(str::to_owned)
    };
    let listed = root.children().filter(|node| ["Version", "DeleteMarker"].contains(&node.tag_name().name()));
    let versions = listed.map(|node| Some(Version { key: text(node, "Key")?, id: text(node, "VersionId")? }));
    let is_cut = text(root, "IsTruncated").is_some_and(|is_cut| is_cut == "true");
    let next = || Some(Version { key: text(root, "NextKeyMarker")?, id: text(root, "NextVersionIdMarker")? });
    Some(Versions { versions: versions.collect::<Option<_>>()?, next: is_cut.then(next).flatten() })
}

/// The code and the message of an error.
fn message(xml: &str) -> Option<String> {
    let document = Document::parse(xml).ok()?;
    let text = |name: &str| document.descendants().find(|node| node.tag_name().name() == name)?.text();
    Some(format!("{}: {}", text("Code")?, text("Message").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_a_host_of_its_own_unless_that_cannot_be() {
        let aws = "https://s3.eu-west-1.amazonaws.com";
        assert_eq!(url(aws, "code", false), "https://code.s3.eu-west-1.amazonaws.com");
        assert_eq!(url(aws, "code.example.com", false), "https://s3.eu-west-1.amazonaws.com/code.example.com");
        assert_eq!(url("http://127.0.0.1:4566/", "code", true), "http://127.0.0.1:4566/code");
        assert_eq!(path("lambda-duet/a b+c.zip"), "/lambda-duet/a%20b%2Bc.zip");
    }

    #[test]
    fn pages_of_versions_are_read_to_the_last() {
        let page = |rest: &str| {
            format!(
                "<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>code</Name>\
                 <Version><Key>a</Key><VersionId>null</VersionId></Version>\
                 <DeleteMarker><Key>b&amp;c</Key><VersionId>7</VersionId></DeleteMarker>{rest}</ListVersionsResult>"
            )
        };
        let version = |key: &str, id: &str| Version { key: key.to_owned(), id: id.to_owned() };
        let both = vec![version("a", "null"), version("b&c", "7")];
        let last = versions(&page("<IsTruncated>false</IsTruncated>")).unwrap();
        assert_eq!(last, Versions { versions: both.clone(), next: None });
        let cut = "<IsTruncated>true</IsTruncated><NextKeyMarker>b&amp;c</NextKeyMarker>\
                   <NextVersionIdMarker>7</NextVersionIdMarker>";
        let first = versions(&page(cut)).unwrap();
        assert_eq!(first, Versions { versions: both, next: Some(version("b&c", "7")) });
        assert_eq!(listing(&first.next.unwrap()), "?versions&key-marker=b%26c&version-id-marker=7");
        assert_eq!(listing(&version("", "")), "?versions");
        assert_eq!(versions("<html>"), None);
        let error = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        assert_eq!(message(error).as_deref(), Some("AccessDenied: Access Denied"));
    }
}
