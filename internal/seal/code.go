package seal

// Code is a code of the same form as [NewCode] that is always the same for the
// same parts: for codes that must survive a crash between making and showing
// them, such as a receipt. It comes from the key that is never rotated.
func (k *Keys) Code(groups int, domain string, parts ...string) string {
	groups = min(max(groups, 2), maxGroups) // 28 symbols of the 32 bytes of hash
	digest := keyed(k.stable, "code", domain, parts...)
	values := make([]byte, groups*groupSize)
	for i := range values[:len(values)-1] {
		values[i] = digest[i] & 31
	}
	values[len(values)-1] = check(values[:len(values)-1])
	return group(values)
}
