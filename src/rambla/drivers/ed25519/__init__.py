"""How are policies signed and verified? With Ed25519 (RFC 8032), by keys in the data folder."""
