"""Clients in JavaScript that read what Millstream's servers send: fetched when they run, and never kept here."""
