//! Room `web`: from where a request came, as far as that can be believed.
//!
//! In: the connection's peer and `X-Forwarded-For`. Out: [`ClientAddress`]. The header counts only as far as it was
//! written by proxies the configuration names (ASVS 4.1.3); anybody else may write what they like. Deliberately not
//! here: what an address is allowed to do.

use axum::http::{HeaderMap, HeaderName};
use std::net::IpAddr;

/// The peer of the connection, put into the request by the listening door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// Where the request came from, put into the request by the middleware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// An address or a network, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl Network {
    /// Reads an address or a network with its length of prefix; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse::<IpAddr>().ok()?, Some(prefix.parse::<u32>().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let bits = bits_of(address);
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then_some(Self { address, prefix })
    }

    /// Whether the address lies in this network. IPv4 addresses in IPv6 clothes count as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => same(
                u128::from(net.to_bits()),
                u128::from(ip.to_bits()),
                32_u32.saturating_sub(self.prefix),
            ),
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                same(net.to_bits(), ip.to_bits(), 128_u32.saturating_sub(self.prefix))
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

const fn bits_of(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn same(net: u128, ip: u128, host_bits: u32) -> bool {
    net.checked_shr(host_bits).unwrap_or(0) == ip.checked_shr(host_bits).unwrap_or(0)
}

/// The nearest address that no trusted proxy vouches for being one of its own.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer.to_canonical();
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .map(|value| value.to_str().unwrap_or(""))
        .collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for hop in hops {
        if !is_trusted(nearest) {
            break;
        }
        let Ok(address) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        nearest = address.to_canonical();
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| Network::parse(text).unwrap()).collect()
    }

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], trusted: &[&str], expect: &str) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let found = client_address(peer.parse().unwrap(), &headers, &networks(trusted));
        assert_eq!(found, expect.parse::<IpAddr>().unwrap());
    }

    /// A caller cannot give itself another address; only named proxies can speak for others.
    #[test]
    fn only_named_proxies_are_believed() {
        check("203.0.113.9", &["10.1.1.1"], &[], "203.0.113.9");
        check("203.0.113.9", &["10.1.1.1"], &["10.0.0.0/8"], "203.0.113.9");
        check("10.0.0.5", &["198.51.100.7"], &["10.0.0.0/8"], "198.51.100.7");
        // What the caller wrote itself stands to the left of what the proxy wrote.
        check(
            "10.0.0.5",
            &["1.2.3.4, 198.51.100.7"],
            &["10.0.0.0/8"],
            "198.51.100.7",
        );
        check(
            "10.0.0.5",
            &["1.2.3.4", "198.51.100.7, 10.0.0.6"],
            &["10.0.0.0/8"],
            "198.51.100.7",
        );
        check("10.0.0.5", &["nonsense"], &["10.0.0.0/8"], "10.0.0.5");
        check(
            "::ffff:10.0.0.5",
            &["198.51.100.7"],
            &["10.0.0.5"],
            "198.51.100.7",
        );
    }

    #[test]
    fn networks_are_read_and_compared() {
        let net = Network::parse("2001:db8::/32").unwrap();
        assert!(net.contains("2001:db8:1::1".parse().unwrap()));
        assert!(!net.contains("2001:db9::1".parse().unwrap()));
        assert!(
            Network::parse("0.0.0.0/0")
                .unwrap()
                .contains("8.8.8.8".parse().unwrap())
        );
        assert!(Network::parse("::/0").unwrap().contains("::1".parse().unwrap()));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "host", "10.0.0.0/"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
