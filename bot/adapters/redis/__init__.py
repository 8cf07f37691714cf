"""Everything that is kept in Redis or Valkey: journals, work, inbox, board, budgets, records."""
