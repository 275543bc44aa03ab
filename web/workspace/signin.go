package workspace

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/access"
	"victimvoice/internal/edge"
	"victimvoice/internal/fault"
	"victimvoice/web/page"
)

// cookieName names the session cookie. The __Host- prefix makes a browser hold it
// to this host and to HTTPS; it can only be had there.
func (s *Pages) cookieName() string {
	if s.Secure {
		return "__Host-staff"
	}
	return "staff"
}

// setCookie gives the browser a session token; an empty one takes it away.
func (s *Pages) setCookie(c *gin.Context, token string) {
	cookie := &http.Cookie{Name: s.cookieName(), Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.Secure} //nolint:gosec // G124: not Secure only where there is no HTTPS to be had
	if token == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.Writer, cookie)
}

func (s *Pages) token(c *gin.Context) string {
	token, err := c.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return token
}

// visitor finds who is signed in; fault.Unauthorized when nobody is.
func (s *Pages) visitor(c *gin.Context) (visitor, error) {
	u, err := s.Access.Authenticate(c.Request.Context(), s.token(c))
	if err != nil {
		return visitor{}, err
	}
	p, err := s.Access.Profile(u)
	if err != nil {
		return visitor{}, err
	}
	return visitor{User: u, profile: p}, nil
}

// home is where a visitor's work begins.
func home(u access.User) string {
	switch {
	case u.Can(access.CasesOwn):
		return "/work"
	case u.Can(access.FiguresRead):
		return "/figures"
	case u.Can(access.UsersManage):
		return "/admin"
	}
	return "/account"
}

// signInFor is the sign-in page that leads back to what was asked for.
func signInFor(c *gin.Context) string {
	if c.Request.Method != http.MethodGet {
		return "/signin?done=session-over" // what was posted can't be had again by a link
	}
	return address("/signin", "next", c.Request.URL.RequestURI())
}

// local keeps a way back only where it leads to a page of ours.
func local(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(next, "/signin") {
		return ""
	}
	return next
}

func (s *Pages) front(c *gin.Context) error {
	v, err := s.visitor(c)
	if fault.Is(err, fault.Unauthorized) {
		return page.See(c, "/signin")
	}
	if err != nil {
		return err
	}
	return page.See(c, home(v.User))
}

// signInData is the data of the sign-in page.
type signInData struct {
	page.Work
	Email, Password page.Field
	Next            string
	NeedsSetup      bool
}

func (s *Pages) signInData(c *gin.Context) (signInData, error) {
	needs, err := s.Access.NeedsSetup(c.Request.Context())
	if err != nil {
		return signInData{}, err
	}
	return signInData{
		Work:       page.Work{Title: "Sign in", Done: doneWords[c.Query("done")]},
		Email:      page.Field{Name: "email", Label: "Email address", Type: "email", Auto: "username", Max: 254},
		Password:   page.Field{Name: "password", Label: "Password", Type: "password", Auto: "current-password"},
		Next:       local(c.Query("next")),
		NeedsSetup: needs,
	}, nil
}

func (s *Pages) signInPage(c *gin.Context) error {
	data, err := s.signInData(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "signin", data)
}

func (s *Pages) signIn(c *gin.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	email, next := typed(c, "email"), local(typed(c, "next"))
	token, u, err := s.Access.SignIn(c.Request.Context(), email, typed(c, "password"), edge.Client(c))
	if err == nil {
		s.setCookie(c, token)
		if next == "" {
			next = home(u)
		}
		return page.See(c, next)
	}
	status := http.StatusUnprocessableEntity
	switch fault.KindOf(err) {
	case fault.Unauthorized:
	case fault.TooMany:
		status = http.StatusTooManyRequests
		if wait, ok := access.RetryAfter(err, s.Now()); ok {
			c.Header("Retry-After", seconds(wait))
		}
	default:
		return err
	}
	data, pageErr := s.signInData(c)
	if pageErr != nil {
		return pageErr
	}
	data.Title = "Error: " + data.Title
	data.Problems = []page.Problem{{Field: "email", Message: sentence(fault.MessageOf(err))}}
	data.Email.Value, data.Next = email, next
	return s.show(c, status, "signin", data)
}

func (s *Pages) signOut(c *gin.Context) error {
	if err := s.Access.SignOut(c.Request.Context(), s.token(c)); err != nil {
		return err
	}
	s.setCookie(c, "")
	return page.See(c, "/signin?done=signed-out")
}

// setupData is the data of the page behind a one-time link: of the first
// administrator, who gives name and address too, or of somebody who sets a password.
type setupData struct {
	page.Work
	First                 bool
	Name, Email, Password page.Field
}

const lengthHint = "At least 12 characters. Three or four random words make a good one; there are no rules about signs or capitals."

func newPassword(label string) page.Field {
	return page.Field{Name: "password", Label: label, Hint: lengthHint, Type: "password", Auto: "new-password"}
}

func (s *Pages) setupData(c *gin.Context) (setupData, error) {
	kind, err := s.Access.CheckLink(c.Request.Context(), c.Param("token"))
	if err != nil {
		return setupData{}, err
	}
	data := setupData{Work: page.Work{Title: "Choose a password"}, Password: newPassword("New password")}
	if kind == access.SetupLink {
		data.First, data.Title = true, "Make the first administrator"
		data.Name = page.Field{Name: "name", Label: "Your name", Auto: "name", Max: 200}
		data.Email = page.Field{Name: "email", Label: "Your email address", Hint: "You will sign in with it.", Type: "email", Auto: "username", Max: 254}
	}
	return data, nil
}

func (s *Pages) setupPage(c *gin.Context) error {
	data, err := s.setupData(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "setup", data)
}

func (s *Pages) setup(c *gin.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	data, err := s.setupData(c)
	if err != nil {
		return err
	}
	ctx, token, password := c.Request.Context(), c.Param("token"), typed(c, "password")
	if data.First {
		_, err = s.Access.Setup(ctx, token, access.NewUser{Email: typed(c, "email"), Name: typed(c, "name"), Password: password})
	} else {
		_, err = s.Access.RedeemPassword(ctx, token, password)
	}
	if err == nil {
		return page.See(c, "/signin?done=password-set")
	}
	status, err := retry(&data.Work, err)
	if err != nil {
		return err
	}
	data.Name.Value, data.Email.Value = typed(c, "name"), typed(c, "email")
	for _, f := range []*page.Field{&data.Name, &data.Email, &data.Password} {
		f.Error = page.ErrorOf(data.Problems, f.Name)
	}
	return s.show(c, status, "setup", data)
}

// accountData is the data of one's own account page.
type accountData struct {
	page.Work
	Name, Email, Roles, Force string
	Digest                    *page.Field // nil: for whoever reads no figures
	Current, Password         page.Field
}

// digestOff stands for access.DigestOff in the form: a choice has to say something.
const digestOff = "off"

var digestWords = map[access.Digest]string{access.DigestOff: "Never", access.DigestMonthly: "Every month", access.DigestQuarterly: "Every quarter"}

func digestField(v visitor) *page.Field {
	if !v.Can(access.FiguresRead) {
		return nil
	}
	f := &page.Field{Name: "digest", Label: "Send me a mail when a period’s figures can be read",
		Hint:  "It comes on the first working day after the month or quarter, and holds a link to sign in by. It names no subject and gives no figure.",
		Value: cmp.Or(string(v.Digest), digestOff)}
	for _, d := range access.Digests() {
		f.Choices = append(f.Choices, page.Choice{Value: cmp.Or(string(d), digestOff), Label: digestWords[d]})
	}
	return f
}

func (s *Pages) accountData(c *gin.Context, v visitor) (accountData, error) {
	f, err := s.frame(c, v, "Your account")
	if err != nil {
		return accountData{}, err
	}
	data := accountData{Work: f, Name: v.profile.Name, Email: v.profile.Email, Roles: roleWords(v.Roles), Force: v.Force,
		Digest:   digestField(v),
		Current:  page.Field{Name: "current", Label: "Present password", Type: "password", Auto: "current-password"},
		Password: newPassword("New password")}
	if data.Force == "" {
		data.Force = "Every force"
	}
	return data, nil
}

func (s *Pages) account(c *gin.Context, v visitor) error {
	data, err := s.accountData(c, v)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "account", data)
}

func (s *Pages) changePassword(c *gin.Context, v visitor) error {
	token, err := s.Access.SetPassword(c.Request.Context(), v.ID, typed(c, "current"), typed(c, "password"), edge.Client(c))
	if err == nil {
		s.setCookie(c, token)
		return page.See(c, "/account?done=password-changed")
	}
	data, pageErr := s.accountData(c, v)
	if pageErr != nil {
		return pageErr
	}
	status, err := retry(&data.Work, err)
	if err != nil {
		if wait, ok := access.RetryAfter(err, s.Now()); ok {
			c.Header("Retry-After", seconds(wait))
		}
		return err
	}
	data.Current.Error, data.Password.Error = page.ErrorOf(data.Problems, "current"), page.ErrorOf(data.Problems, "password")
	return s.show(c, status, "account", data)
}

// chooseDigest keeps how often one hears of new figures.
func (s *Pages) chooseDigest(c *gin.Context, v visitor) error {
	d := access.Digest(typed(c, "digest"))
	switch d {
	case access.DigestOff: // nothing chosen
		d = "nothing"
	case digestOff:
		d = access.DigestOff
	}
	err := s.Access.ChooseDigest(c.Request.Context(), v.ID, d)
	if err == nil {
		return page.See(c, "/account?done=digest-chosen")
	}
	data, pageErr := s.accountData(c, v)
	if pageErr != nil {
		return pageErr
	}
	status, err := retry(&data.Work, err)
	if err != nil {
		return err
	}
	if data.Digest != nil {
		data.Digest.Error = page.ErrorOf(data.Problems, "digest")
	}
	return s.show(c, status, "account", data)
}

// seconds writes a wait as Retry-After does.
func seconds(d time.Duration) string { return decimal(int(max(time.Second, d) / time.Second)) }
