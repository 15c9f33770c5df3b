"""Use cases: each public function is a sentence the owner of a shop could say."""
