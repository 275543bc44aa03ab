package analysis

// Place puts a coding in its queue, as the service does in each write.
func (s *Service) Place(c *Coding) { s.place(c) }

// QuotableWords is quotableWords, for tests.
func QuotableWords(text string, start, end int) string { return quotableWords(text, start, end) }
