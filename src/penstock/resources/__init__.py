"""What a YAML file may say: one model per noun, references, expressions, and reading files with line numbers."""
