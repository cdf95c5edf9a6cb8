//! Room `domain`: dossier.
