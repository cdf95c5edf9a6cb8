//! Room `domain`: `dossier_code`.
