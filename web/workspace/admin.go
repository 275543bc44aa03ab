package workspace

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/web/page"
)

// recordRows is how many entries of the audit record a page shows.
const recordRows = 200

// adminData is the data of the administrator's first page.
type adminData struct {
	page.Work
	Held  []fact
	Mail  []fact
	Alert []fact
	Stuck bool // mail waits longer than it should
}

// mailLate is how long a due mail may wait before the page calls it stuck.
const mailLate = 15 * time.Minute

func (s *Pages) admin(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "Where things stand")
	if err != nil {
		return err
	}
	size := s.Analysis.Panel().Size()
	data := adminData{Work: f, Held: []fact{
		{"Cases", thousands(size.Cases)}, {"Responses kept", thousands(size.Responses)}, {"Free texts coded", thousands(size.Codings)},
	}}
	backlog, err := s.Backlog(ctx)
	if err != nil {
		return err
	}
	data.Mail = []fact{{"Waiting to go out", thousands(backlog.Pending)}, {"Going out now", thousands(backlog.Sending)}, {"Given up", thousands(backlog.Failed)}}
	if !backlog.Oldest.IsZero() {
		data.Mail = append(data.Mail, fact{"Next due", s.moment(backlog.Oldest)})
		data.Stuck = s.Now().Sub(backlog.Oldest) > mailLate
	}
	waiting, err := v.waiting()
	if err != nil {
		return err
	}
	late := 0
	for _, a := range waiting {
		if a.DueAt.Before(s.Now()) {
			late++
		}
	}
	data.Alert = []fact{{"Waiting", thousands(len(waiting))}, {"Overdue", thousands(late)}}
	return s.show(c, http.StatusOK, "admin", data)
}

// peopleData is the data of the page of staff accounts.
type peopleData struct {
	page.Work
	People []personLine
	Form   personForm
	Link   string // a one-time link, shown this once
	For    string // whose
}

type personLine struct {
	Path, Name, Email, Roles, Force, State, SignedIn string
	Disabled, Own                                    bool
}

type personForm struct{ Name, Email, Roles, Force page.Field }

func (s *Pages) peopleData(c *gin.Context, v visitor) (peopleData, error) {
	f, err := s.frame(c, v, "People")
	if err != nil {
		return peopleData{}, err
	}
	users, err := s.Access.ListUsers(c.Request.Context(), v.Actor())
	if err != nil {
		return peopleData{}, err
	}
	data := peopleData{Work: f, Form: personForm{
		Name:  page.Field{Name: "name", Label: "Name", Max: 200},
		Email: page.Field{Name: "email", Label: "Email address", Hint: "Advocates: the address by which the police system names them.", Type: "email", Max: 254},
		Roles: page.Field{Name: "roles", Label: "Roles"},
		Force: page.Field{Name: "force", Label: "Force", Hint: "Whose cases and figures they see. Empty: every force.", Max: 200},
	}}
	for _, r := range access.Roles() {
		data.Form.Roles.Choices = append(data.Form.Roles.Choices, page.Choice{Value: string(r), Label: sentenceStart(roleNames[r]), Hint: roleHints[r]})
	}
	for _, u := range users {
		p, err := s.Access.Profile(u)
		if err != nil {
			return peopleData{}, err
		}
		l := personLine{Path: "/admin/people/" + u.ID, Name: p.Name, Email: p.Email, Roles: roleWords(u.Roles), Force: cmp.Or(u.Force, "Every force"), Disabled: u.Disabled, Own: u.ID == v.ID, SignedIn: "never"}
		switch {
		case u.Disabled:
			l.State = "Disabled"
		case u.PasswordHash == "":
			l.State = "Has not set a password yet"
		default:
			l.State = "Active"
		}
		if !u.SignedInAt.IsZero() {
			l.SignedIn = s.moment(u.SignedInAt)
		}
		data.People = append(data.People, l)
	}
	slices.SortFunc(data.People, func(a, b personLine) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path)) })
	return data, nil
}

func (s *Pages) people(c *gin.Context, v visitor) error {
	data, err := s.peopleData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "people", data)
}

func (s *Pages) addPerson(c *gin.Context, v visitor) error {
	force := strings.TrimSpace(typed(c, "force"))
	if force != "" {
		force, _ = s.Survey.Geography().Force(force)
	}
	n := access.NewUser{Name: typed(c, "name"), Email: typed(c, "email"), Force: force}
	for _, r := range c.Request.PostForm["roles"] {
		n.Roles = append(n.Roles, access.Role(r))
	}
	_, token, err := s.Access.AddUser(c.Request.Context(), v.Actor(), n)
	if err == nil {
		return s.showLink(c, v, token, strings.TrimSpace(n.Name))
	}
	return s.peopleAgain(c, v, err)
}

// showLink shows a one-time link: it is answered to the form itself, since it can be shown only once.
func (s *Pages) showLink(c *gin.Context, v visitor, token, name string) error {
	data, err := s.peopleData(c, v)
	if err != nil {
		return err
	}
	data.Link, data.For = s.BaseURL+"/setup/"+token, name
	return s.show(c, http.StatusOK, "people", data)
}

func (s *Pages) peopleAgain(c *gin.Context, v visitor, cause error) error {
	if k := fault.KindOf(cause); k != fault.Invalid && k != fault.Conflict {
		return cause
	}
	data, err := s.peopleData(c, v)
	if err != nil {
		return err
	}
	status, err := retry(&data.Work, cause)
	if err != nil {
		return err
	}
	for _, f := range []*page.Field{&data.Form.Name, &data.Form.Email, &data.Form.Roles, &data.Form.Force} {
		f.Value, f.Error = typed(c, f.Name), page.ErrorOf(data.Problems, f.Name)
	}
	data.Form.Roles.Value, data.Form.Roles.Values = "", c.Request.PostForm["roles"]
	return s.show(c, status, "people", data)
}

func (s *Pages) disablePerson(c *gin.Context, v visitor) error {
	if c.Param("id") == v.ID {
		return s.peopleAgain(c, v, fault.New(fault.Conflict, "you cannot disable your own account; ask another administrator"))
	}
	if err := s.Access.Disable(c.Request.Context(), v.Actor(), c.Param("id")); err != nil {
		return s.peopleAgain(c, v, err)
	}
	return page.See(c, "/admin/people?done=disabled")
}

func (s *Pages) enablePerson(c *gin.Context, v visitor) error {
	if err := s.Access.Enable(c.Request.Context(), v.Actor(), c.Param("id")); err != nil {
		return s.peopleAgain(c, v, err)
	}
	return page.See(c, "/admin/people?done=enabled")
}

func (s *Pages) resetPerson(c *gin.Context, v visitor) error {
	ctx, id := c.Request.Context(), c.Param("id")
	if id == v.ID {
		return s.peopleAgain(c, v, fault.New(fault.Conflict, "change your own password under “Your account”"))
	}
	token, err := s.Access.ResetPassword(ctx, v.Actor(), id)
	if err != nil {
		return s.peopleAgain(c, v, err)
	}
	name, err := s.nameOf(ctx, id)
	if err != nil {
		return err
	}
	return s.showLink(c, v, token, name)
}

// keysData is the data of the page of API keys.
type keysData struct {
	page.Work
	Keys []keyLine
	Form keyForm
	Raw  string // a new key, shown this once
}

type keyLine struct {
	Path, ID, Label, Scopes, Force, State, Used string
	Live                                        bool
}

type keyForm struct{ Label, Scopes, Force, Expires page.Field }

func (s *Pages) keysData(c *gin.Context, v visitor) (keysData, error) {
	f, err := s.frame(c, v, "API keys")
	if err != nil {
		return keysData{}, err
	}
	list, err := s.Access.ListAPIKeys(c.Request.Context(), v.Actor())
	if err != nil {
		return keysData{}, err
	}
	data := keysData{Work: f, Form: keyForm{
		Label:   page.Field{Name: "label", Label: "What it is for", Hint: "Such as “Case events from the crime system”.", Max: 200},
		Scopes:  page.Field{Name: "scopes", Label: "What it may do"},
		Force:   page.Field{Name: "force", Label: "Force", Hint: "The one whose cases it writes and figures it reads. Needed to send case events.", Max: 200},
		Expires: page.Field{Name: "expires_at", Label: "Ends on", Hint: "Empty: it does not end by itself.", Type: "date"},
	}}
	for _, scope := range access.Scopes() {
		data.Form.Scopes.Choices = append(data.Form.Scopes.Choices, page.Choice{Value: string(scope), Label: scopeWords[scope]})
	}
	slices.SortFunc(list, func(a, b access.APIKey) int { return b.CreatedAt.Compare(a.CreatedAt) })
	now := s.Now()
	for _, k := range list {
		l := keyLine{Path: "/admin/keys/" + k.ID, ID: "vv_" + k.ID + "_…", Label: k.Label, Force: cmp.Or(k.Force, "Every force"), Live: k.Live(now), Used: "never used"}
		var scopes []string
		for _, scope := range k.Scopes {
			scopes = append(scopes, scopeWords[scope])
		}
		l.Scopes = strings.Join(scopes, ", ")
		switch {
		case !k.RevokedAt.IsZero():
			l.State = "Revoked on " + s.date(k.RevokedAt)
		case !l.Live:
			l.State = "Ended on " + s.date(k.ExpiresAt)
		case !k.ExpiresAt.IsZero():
			l.State = "In force until " + s.date(k.ExpiresAt)
		default:
			l.State = "In force"
		}
		if !k.LastUsedAt.IsZero() {
			l.Used = "last used " + s.moment(k.LastUsedAt)
		}
		data.Keys = append(data.Keys, l)
	}
	return data, nil
}

func (s *Pages) keys(c *gin.Context, v visitor) error {
	data, err := s.keysData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "keys", data)
}

func (s *Pages) addKey(c *gin.Context, v visitor) error {
	raw, err := s.makeKey(c, v)
	if err == nil {
		data, err := s.keysData(c, v)
		if err != nil {
			return err
		}
		data.Raw = raw
		return s.show(c, http.StatusOK, "keys", data)
	}
	if !fault.Is(err, fault.Invalid) {
		return err
	}
	cause := err
	data, err := s.keysData(c, v)
	if err != nil {
		return err
	}
	status, err := retry(&data.Work, cause)
	if err != nil {
		return err
	}
	for _, f := range []*page.Field{&data.Form.Label, &data.Form.Scopes, &data.Form.Force, &data.Form.Expires} {
		f.Value, f.Error = typed(c, f.Name), page.ErrorOf(data.Problems, f.Name)
	}
	data.Form.Scopes.Value, data.Form.Scopes.Values = "", c.Request.PostForm["scopes"]
	return s.show(c, status, "keys", data)
}

func (s *Pages) makeKey(c *gin.Context, v visitor) (string, error) {
	n := access.NewAPIKey{Label: typed(c, "label")}
	if force := strings.TrimSpace(typed(c, "force")); force != "" {
		n.Force, _ = s.Survey.Geography().Force(force)
	}
	for _, scope := range c.Request.PostForm["scopes"] {
		n.Scopes = append(n.Scopes, access.Scope(scope))
	}
	if ends := strings.TrimSpace(typed(c, "expires_at")); ends != "" {
		day, err := time.ParseInLocation(time.DateOnly, ends, s.zone())
		if err != nil {
			return "", fault.Fields("the API key cannot be made", fault.Field{Field: "expires_at", Message: "give a date such as 2027-03-31, or none"})
		}
		n.ExpiresAt = day.UTC()
	}
	raw, _, err := s.Access.NewAPIKey(c.Request.Context(), v.Actor(), n)
	return raw, err
}

func (s *Pages) revokeKey(c *gin.Context, v visitor) error {
	if err := s.Access.RevokeAPIKey(c.Request.Context(), v.Actor(), c.Param("id")); err != nil {
		return err
	}
	return page.See(c, "/admin/keys?done=revoked")
}

// recordData is the data of the page of the audit record.
type recordData struct {
	page.Work
	Rows     []recordRow
	Last     int64
	Verified string
	Broken   string
}

type recordRow struct {
	Seq                               int64
	At, Who, Role, What, Subject, Why string
}

func (s *Pages) recordData(c *gin.Context, v visitor) (recordData, error) {
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "Record")
	if err != nil {
		return recordData{}, err
	}
	names, err := s.staffNames(ctx, v)
	if err != nil {
		return recordData{}, err
	}
	end, err := s.Audit.Checkpoint(ctx)
	if err != nil {
		return recordData{}, err
	}
	data := recordData{Work: f, Last: end.Seq}
	for e, err := range s.Audit.All(ctx, max(1, end.Seq-recordRows+1)) {
		if err != nil {
			return recordData{}, err
		}
		row := recordRow{Seq: e.Seq, At: s.moment(e.At), Who: cmp.Or(names[e.Actor], e.Actor), Role: strings.ReplaceAll(e.Role, ",", ", "), What: e.Action, Subject: short(e.Subject), Why: e.Reason}
		if len(e.Detail) > 0 {
			row.Why = strings.Trim(row.Why+"; "+details(e.Detail), "; ")
		}
		data.Rows = append(data.Rows, row)
	}
	slices.Reverse(data.Rows)
	if len(data.Rows) > recordRows {
		data.Rows = data.Rows[:recordRows] // entries that came while we read
	}
	return data, nil
}

func (s *Pages) staffNames(ctx context.Context, v visitor) (map[string]string, error) {
	users, err := s.Access.ListUsers(ctx, v.Actor())
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, u := range users {
		p, err := s.Access.Profile(u)
		if err != nil {
			return nil, err
		}
		names[u.ID] = p.Name
	}
	return names, nil
}

// short cuts a pseudonym to what tells it from others on a page.
func short(subject string) string {
	kind, id, ok := strings.Cut(subject, ":")
	if ok && len(id) > 12 {
		return kind + ":" + id[:10] + "…"
	}
	return subject
}

func details(d map[string]string) string {
	var out []string
	for k, v := range d {
		out = append(out, k+": "+v)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func (s *Pages) record(c *gin.Context, v visitor) error {
	if err := s.Audit.Append(c.Request.Context(), v.actor().Entry("audit.read", "audit")); err != nil {
		return err
	}
	data, err := s.recordData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "record", data)
}

func (s *Pages) verifyRecord(c *gin.Context, v visitor) error {
	n, err := s.Audit.Verify(c.Request.Context())
	var broken *audit.Broken
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	data, pageErr := s.recordData(c, v)
	if pageErr != nil {
		return pageErr
	}
	data.Verified = plural(int(n), "entry", "entries")
	if broken != nil {
		data.Verified, data.Broken = "", sentence(broken.Error())
	}
	return s.show(c, http.StatusOK, "record", data)
}
