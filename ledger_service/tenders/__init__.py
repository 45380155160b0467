"""Tenders, from the notice to the award: a slice of the service."""
