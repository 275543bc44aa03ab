package access

import "slices"

// Role is what somebody is here for.
type Role string

// The roles. Analyst sees figures and redacted texts, and never whose they are.
const (
	Advocate      Role = "advocate"
	Commissioner  Role = "commissioner"
	Administrator Role = "administrator"
	Analyst       Role = "analyst"
)

// Roles lists every role, in the order of a form.
func Roles() []Role { return []Role{Advocate, Commissioner, Administrator, Analyst} }

// Valid reports whether this is a role.
func (r Role) Valid() bool { return slices.Contains(Roles(), r) }

// Permission is one thing that a role may do.
type Permission string

// The permissions. "Own" means: of cases whose advocate the user is.
const (
	CasesOwn        Permission = "cases:own"         // see one's own cases and what is due
	AnswerForVictim Permission = "answer:for-victim" // relayed or observed, in one's own cases
	AlertsOwn       Permission = "alerts:own"        // read and settle the alerts of one's own cases
	AlertsAll       Permission = "alerts:all"        // see that alerts wait, give them to somebody, never their words
	ResponsesVoid   Permission = "responses:void"    // void a response that the victim did not give
	FiguresRead     Permission = "figures:read"      // shares, charts, tables, themes
	FiguresAnnotate Permission = "figures:annotate"  // put notes on the time axis, re-base a chart
	WordsRead       Permission = "words:read"        // redacted comments, suppressed as figures are
	CodingCorrect   Permission = "coding:correct"    // read redacted texts one by one and say their themes
	AdviceManage    Permission = "advice:manage"     // change the polarity table of advice
	ActionsRead     Permission = "actions:read"
	ActionsManage   Permission = "actions:manage"  // raise, plan, check and close actions
	ActionsPublish  Permission = "actions:publish" // put them on the public page and tell people
	ExportFigures   Permission = "export:figures"
	ExportRows      Permission = "export:rows"  // pseudonymous rows, never addresses
	UsersManage     Permission = "users:manage" // staff accounts
	APIKeysManage   Permission = "apikeys:manage"
	SettingsManage  Permission = "settings:manage" // policy, geography, codebook versions
	CasesImport     Permission = "cases:import"    // case events by file
	AuditRead       Permission = "audit:read"
	OutboxRead      Permission = "outbox:read" // whether mail moves; never to whom
)

// Permissions gives what a role may do. An unknown role may do nothing.
func Permissions(r Role) []Permission {
	switch r {
	case Advocate:
		return []Permission{CasesOwn, AnswerForVictim, AlertsOwn, ResponsesVoid, ActionsRead}
	case Commissioner:
		return []Permission{FiguresRead, FiguresAnnotate, WordsRead, CodingCorrect, AdviceManage, ActionsRead, ActionsManage, ActionsPublish, ExportFigures, ExportRows}
	case Administrator:
		// An administrator runs the service and reads nobody's answers.
		return []Permission{UsersManage, APIKeysManage, SettingsManage, CasesImport, AlertsAll, AuditRead, OutboxRead}
	case Analyst:
		return []Permission{FiguresRead, FiguresAnnotate, CodingCorrect, ActionsRead, ExportFigures, ExportRows}
	}
	return nil
}

// Can reports whether any of the user's roles has the permission. A disabled user
// can do nothing.
func (u User) Can(p Permission) bool { return !u.Disabled && can(u.Roles, p) }

func can(roles []Role, p Permission) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(Permissions(r), p) })
}

// HasRole reports whether the user has the role.
func (u User) HasRole(r Role) bool { return slices.Contains(u.Roles, r) }
