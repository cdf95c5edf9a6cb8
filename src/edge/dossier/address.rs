//! Room `edge::dossier`: which addresses a receiver of events may have.
//!
//! A receiver's address is typed in by somebody and may be meant to reach what only this machine can reach (server-side
//! request forgery). In: an IP address. Out: where it lies. What is not known to be public is not public. Source: the
//! IANA special-purpose address registries (RFC 6890 and its successors). Deliberately not here: names and URLs
//! (`client`).

use super::Reach;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Reachable from the internet.
    Public,
    /// This machine, a private network or a provider's shared one.
    Private,
    /// No place for a receiver: link-local (metadata of clouds), multicast, unspecified, documentation, reserved.
    Nowhere,
}

impl Place {
    /// Whether a receiver of this reach may lie here.
    pub const fn is_allowed(self, reach: Reach) -> bool {
        match (self, reach) {
            (Self::Public, Reach::Public | Reach::Private) | (Self::Private, Reach::Private) => true,
            (Self::Private, Reach::Public) | (Self::Nowhere, Reach::Public | Reach::Private) => false,
        }
    }
}

/// Where an address lies; of an address that carries an IPv4 address inside, where that one lies.
pub const fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(address) => place_v4(address),
        IpAddr::V6(address) => place_v6(address),
    }
}

const fn place_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        // This host, private use (RFC 1918), shared by a provider (RFC 6598).
        [127 | 10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Place::Private,
        // This network, multicast and beyond; link-local; protocol assignments; documentation; 6to4 relays; benchmarks.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Place::Nowhere,
        _ => Place::Public,
    }
}

const fn place_v6(address: Ipv6Addr) -> Place {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] => Place::Private,
        // IPv4-mapped, and the well-known prefix of NAT64.
        [0, 0, 0, 0, 0, 0xffff, high, low] => place_v4(v4(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => match place_v4(v4(high, low)) {
            Place::Public => Place::Public,
            Place::Private | Place::Nowhere => Place::Nowhere,
        },
        // Protocol assignments with Teredo and ORCHID; documentation; 6to4.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => Place::Nowhere,
        [0x2000..=0x3fff, ..] => Place::Public,
        _ => Place::Nowhere,
    }
}

const fn v4(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expect: Place, addresses: &str) {
        for text in addresses.split_whitespace() {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(place(address), expect, "{text}");
        }
    }

    #[test]
    fn ipv4_addresses_by_range_and_at_its_edges() {
        check(
            Place::Public,
            "1.1.1.1 9.255.255.255 11.0.0.0 14.225.0.1 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
             169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 \
             192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 \
             223.255.255.255 203.162.0.1",
        );
        check(
            Place::Private,
            "10.0.0.0 10.255.255.255 127.0.0.1 127.0.0.0 127.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 \
             192.168.255.255 100.64.0.0 100.127.255.255",
        );
        check(
            Place::Nowhere,
            "0.0.0.0 0.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255 192.0.0.0 192.0.0.255 192.0.2.1 \
             192.88.99.1 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.255 224.0.0.1 239.255.255.255 240.0.0.0 \
             255.255.255.255",
        );
    }

    #[test]
    fn ipv6_addresses_and_the_ipv4_addresses_inside_them() {
        check(
            Place::Public,
            "2606:4700::1111 2405:4800::1 2001:200::1 2003::1 3ffe:ffff::1 3fff:1000::1 ::ffff:1.1.1.1 64:ff9b::1.1.1.1",
        );
        check(
            Place::Private,
            "::1 fc00::1 fdff:ffff::1 ::ffff:127.0.0.1 ::ffff:10.1.2.3 ::ffff:192.168.0.1 ::ffff:100.64.0.1",
        );
        check(
            Place::Nowhere,
            ":: ::2 ::127.0.0.1 ::ffff:0.0.0.0 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 \
             64:ff9b::10.0.0.1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2001:1ff::1 2002:7f00:1::1 3fff::1 4000::1 5f00::1 \
             fe80::1 febf::1 fec0::1 ff02::1 ff0e::1 fe00::1",
        );
    }

    #[test]
    fn what_lies_nowhere_is_allowed_to_nobody() {
        for (place, public, private) in [
            (Place::Public, true, true),
            (Place::Private, false, true),
            (Place::Nowhere, false, false),
        ] {
            assert_eq!(place.is_allowed(Reach::Public), public);
            assert_eq!(place.is_allowed(Reach::Private), private);
        }
    }
}
