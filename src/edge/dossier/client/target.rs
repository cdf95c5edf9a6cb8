//! Room `edge::dossier`: which URLs a receiver of events may have.
//!
//! In: a URL as typed in. Out: the URL, or why it is none for a receiver. Forms of an IPv4 address in decimal, octal or
//! hexadecimal are read as the URL standard reads them, so they are judged as what they are. Deliberately not here:
//! where a name leads, which is looked up at each connection (`client`).

use crate::edge::dossier::Reach;
use crate::edge::dossier::address::place;
use reqwest::Url;
use std::net::IpAddr;

/// Longest URL of a receiver, bytes.
pub const URL_BYTES_MAX: usize = 2_048;
/// Endings of names that mean something else in each network.
const LOCAL_ENDINGS: [&str; 6] = [
    "localhost",
    "local",
    "internal",
    "lan",
    "home.arpa",
    "localdomain",
];

/// Why a URL is none for a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// It cannot be read, or is too long.
    #[error("this is no address of a web server; write for example https://dossiers.example.vn/events")]
    Unreadable,
    /// Neither http nor https.
    #[error("an address of events must begin with https://")]
    Scheme,
    /// Plain http to a public receiver.
    #[error(
        "events to public receivers go over https only; http is for receivers in a private network (--allow-private)"
    )]
    PlainHttp,
    /// A user name or a password stands in it.
    #[error("an address of events must hold no user name and no password: events are signed instead")]
    Login,
    /// A place where no receiver of this reach may lie.
    #[error(
        "this address lies in a private network, on this machine or nowhere; a receiver in a private network needs \
         --allow-private"
    )]
    Place,
}

/// Reads the URL of a receiver.
///
/// # Errors
/// [`UrlRefused`] says what is wrong with it.
pub fn check_url(text: &str, reach: Reach) -> Result<(), UrlRefused> {
    parse(text, reach).map(drop)
}

pub(super) fn parse(text: &str, reach: Reach) -> Result<Url, UrlRefused> {
    if text.len() > URL_BYTES_MAX {
        return Err(UrlRefused::Unreadable);
    }
    let url = Url::parse(text).map_err(|_unreadable| UrlRefused::Unreadable)?;
    match (url.scheme(), reach) {
        ("https", _) | ("http", Reach::Private) => {}
        ("http", Reach::Public) => return Err(UrlRefused::PlainHttp),
        (_other, _) => return Err(UrlRefused::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefused::Login);
    }
    let host = url.host_str().ok_or(UrlRefused::Unreadable)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let allowed = match bare.parse::<IpAddr>() {
        Ok(address) => place(address).is_allowed(reach),
        Err(_name) => match reach {
            Reach::Private => true,
            Reach::Public => is_public_name(host),
        },
    };
    if allowed { Ok(url) } else { Err(UrlRefused::Place) }
}

/// Whether a name can be one of the public internet: more than one label, and no ending kept for local use.
fn is_public_name(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    name.contains('.')
        && LOCAL_ENDINGS.iter().all(|ending| {
            name.strip_suffix(ending)
                .is_none_or(|rest| !(rest.is_empty() || rest.ends_with('.')))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(public: Result<(), UrlRefused>, private: Result<(), UrlRefused>, urls: &str) {
        for url in urls.split_whitespace() {
            assert_eq!(check_url(url, Reach::Public), public, "public {url}");
            assert_eq!(check_url(url, Reach::Private), private, "private {url}");
        }
    }

    /// Every spelling of 127.0.0.1 is 127.0.0.1.
    #[test]
    fn spellings_of_ipv4_addresses_are_seen_through() {
        check(
            Err(UrlRefused::Place),
            Ok(()),
            "https://127.0.0.1/ https://127.1/ https://127.0.1/ https://2130706433/ https://0x7f000001/ https://0x7f.1/ \
             https://0177.0.0.1/ https://017700000001/ https://0x7F.0x0.0x0.0x1/ https://127.0.0.1./ https://%31%32%37.1/ \
             https://[::1]/ https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/ https://10.0.0.1:8443/x \
             https://0xa000001/ https://100.64.1.1/ https://１２７.0.0.1/ https://[fd00::1]/",
        );
        check(
            Err(UrlRefused::Place),
            Err(UrlRefused::Place),
            "https://0/ https://0.0.0.0/ https://169.254.169.254/latest https://2852039166/ https://0xa9fea9fe/ \
             https://[fe80::1]/ https://[::]/ https://[ff02::1]/ https://224.0.0.1/ https://255.255.255.255/ \
             https://[::ffff:169.254.169.254]/ https://192.0.2.1/",
        );
        check(
            Ok(()),
            Ok(()),
            "https://1.1.1.1/ https://16843009/ https://[2606:4700::1111]:8443/e https://dossiers.example.vn/events?k=1",
        );
    }

    #[test]
    fn names_of_local_use_are_for_private_receivers() {
        check(
            Err(UrlRefused::Place),
            Ok(()),
            "https://localhost/ https://LOCALHOST./ https://a.localhost/ https://dossiers/ https://printer.local/ \
             https://metadata.google.internal/ https://x.home.arpa/ https://db.localdomain/",
        );
        check(
            Ok(()),
            Ok(()),
            "https://notlocalhost.vn/ https://mylocal.vn/ https://local.example.vn/ https://hồsơ.vn/",
        );
    }

    #[test]
    fn schemes_and_logins() {
        check(
            Err(UrlRefused::PlainHttp),
            Ok(()),
            "http://dossiers.example.vn/ http://10.0.0.1/",
        );
        check(
            Err(UrlRefused::Scheme),
            Err(UrlRefused::Scheme),
            "ftp://a.example.vn/ file:///etc/passwd gopher://a.example.vn/ ws://a.example.vn/ unix:/run/x javascript:1",
        );
        check(
            Err(UrlRefused::Login),
            Err(UrlRefused::Login),
            "https://u:p@a.example.vn/ https://u@a.example.vn/ https://1.1.1.1@127.0.0.1/",
        );
        check(
            Err(UrlRefused::Unreadable),
            Err(UrlRefused::Unreadable),
            "dossiers.example.vn/x https:// https://1.2.3.4.5/ https://256.0.0.1/ https://[::1/ https://a.example.vn:99999/",
        );
        let long = format!("https://a.example.vn/{}", "a".repeat(URL_BYTES_MAX));
        assert_eq!(check_url(&long, Reach::Private), Err(UrlRefused::Unreadable));
    }
}
