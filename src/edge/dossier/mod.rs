//! Room `edge::dossier`.
