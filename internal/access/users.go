package access

import (
	"context"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

const (
	maxEmailBytes = 254 // RFC 5321, 4.5.3.1.3, without the angle brackets
	maxTextRunes  = 200 // of a name, a force, a label
	idLength      = 20  // of a user: 100 random bits
)

// NewUser is what is asked of a new member of staff.
type NewUser struct {
	Email    string
	Name     string
	Roles    []Role
	Force    string // empty: every force
	Password string // empty: the user sets it by the link whose token AddUser returns
}

// Edit is what can be changed of a user; nil leaves it as it is.
type Edit struct {
	Email *string
	Name  *string
	Roles []Role
	Force *string
}

// Profile is a user's sealed part, opened.
type Profile struct {
	Email string
	Name  string
}

// validEmail reports whether the text is one plain email address.
func validEmail(email string) bool {
	if len(email) > maxEmailBytes || strings.ContainsFunc(email, unicode.IsControl) {
		return false
	}
	address, err := mail.ParseAddress(email)
	return err == nil && address.Name == "" && address.Address == email
}

func checkText(field, text, what string, required bool) []fault.Field {
	switch {
	case required && strings.TrimSpace(text) == "":
		return []fault.Field{{Field: field, Message: "enter " + what}}
	case utf8.RuneCountInString(text) > maxTextRunes || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return []fault.Field{{Field: field, Message: fmt.Sprintf("use at most %d characters, on one line", maxTextRunes)}}
	}
	return nil
}

func checkEmail(email string) []fault.Field {
	if !validEmail(strings.TrimSpace(email)) {
		return []fault.Field{{Field: "email", Message: "enter an email address such as name@example.org"}}
	}
	return nil
}

func checkRoles(roles []Role) []fault.Field {
	if len(roles) == 0 || slices.ContainsFunc(roles, func(r Role) bool { return !r.Valid() }) {
		return []fault.Field{{Field: "roles", Message: "choose one or more of " + strings.ReplaceAll(roleNames(Roles()), ",", ", ")}}
	}
	return nil
}

// inOrder sorts roles and drops repeats.
func inOrder(roles []Role) []Role {
	return slices.DeleteFunc(Roles(), func(r Role) bool { return !slices.Contains(roles, r) })
}

func checkUser(u NewUser, withPassword bool) error {
	fields := slices.Concat(checkEmail(u.Email), checkText("name", u.Name, "a name", true), checkRoles(u.Roles), checkText("force", u.Force, "", false))
	if withPassword {
		fields = append(fields, fault.FieldsOf(CheckPassword(u.Password, u.Email, u.Name))...)
	}
	return fault.Fields("the account cannot be made", fields...)
}

// AddUser makes an account and, when no password is given, returns the token of a
// one-time link by which the user sets one. Denied without the permission UsersManage;
// Invalid with fields; Conflict when the address has an account.
func (s *Service) AddUser(ctx context.Context, by Actor, n NewUser) (u User, linkToken string, err error) {
	if err := require(by, UsersManage); err != nil {
		return User{}, "", err
	}
	if u, err = s.create(ctx, by, n, "user.added", n.Password != ""); err != nil {
		return User{}, "", err
	}
	if n.Password == "" {
		if linkToken, err = s.newLink(ctx, PasswordLink, u.ID); err != nil {
			return User{}, "", err
		}
	}
	return u, linkToken, nil
}

// create validates, records and stores a new user.
func (s *Service) create(ctx context.Context, by Actor, n NewUser, action string, withPassword bool) (User, error) {
	if err := checkUser(n, withPassword); err != nil {
		return User{}, err
	}
	u := User{
		ID: seal.NewToken()[:idLength], Roles: inOrder(n.Roles), Force: strings.TrimSpace(n.Force), CreatedAt: s.now(),
	}
	if err := s.setEmail(&u, n.Email); err != nil {
		return User{}, err
	}
	if err := s.setName(&u, n.Name); err != nil {
		return User{}, err
	}
	if withPassword {
		hash, err := s.newHash(ctx, n.Password)
		if err != nil {
			return User{}, err
		}
		u.PasswordHash, u.PasswordAt = hash, u.CreatedAt
	}
	if err := s.emailFree(ctx, u.EmailKey); err != nil {
		return User{}, err
	}
	if err := s.record(ctx, by, action, subjectUser(u.ID), "", map[string]string{"roles": roleNames(u.Roles)}); err != nil {
		return User{}, err
	}
	u, err := s.put(ctx, u.ID, func(stored *User) error {
		*stored = u // the id is new
		return nil
	})
	if fault.Is(err, fault.Conflict) {
		return User{}, errEmailTaken()
	}
	if err == nil && u.HasRole(Administrator) {
		// A set-up link still about must not come to life again should this account go.
		if err := s.store.DeleteLinksOf(ctx, ""); err != nil {
			return User{}, fmt.Errorf("delete set-up links: %w", err)
		}
	}
	return u, err
}

// emailFree asks before the change is recorded; the store's unique key decides.
func (s *Service) emailFree(ctx context.Context, key string) error {
	switch _, err := s.store.UserByEmailKey(ctx, key); {
	case err == nil:
		return errEmailTaken()
	case fault.Is(err, fault.NotFound):
		return nil
	default:
		return fmt.Errorf("look for an account: %w", err)
	}
}

func errEmailTaken() error {
	return fault.New(fault.Conflict, "there is already an account with this email address")
}

// put updates a user and keeps the kind of whatever goes wrong.
func (s *Service) put(ctx context.Context, id string, fn func(*User) error) (User, error) {
	u, err := s.store.UpdateUser(ctx, id, fn)
	if err != nil {
		return User{}, fmt.Errorf("store the account: %w", err)
	}
	return u, nil
}

// existing makes fn run only on a user who is there.
func existing(fn func(*User) error) func(*User) error {
	return func(u *User) error {
		if u.Version == 0 {
			return errNoUser()
		}
		return fn(u)
	}
}

func errNoUser() error { return fault.New(fault.NotFound, "there is no such account") }

func subjectUser(id string) string { return "user:" + id }

func (s *Service) setEmail(u *User, email string) (err error) {
	email = strings.TrimSpace(email)
	u.Email, err = s.keys.SealString(seal.Purpose("users", u.ID, "email"), email)
	u.EmailKey = s.keys.EmailKey(emailDomain, email)
	u.AdvocateKey = s.keys.AdvocateKey(email)
	return err
}

func (s *Service) setName(u *User, name string) (err error) {
	u.Name, err = s.keys.SealString(seal.Purpose("users", u.ID, "name"), strings.TrimSpace(name))
	return err
}

// Profile opens a user's address and name.
func (s *Service) Profile(u User) (p Profile, err error) {
	if p.Email, err = s.keys.OpenString(seal.Purpose("users", u.ID, "email"), u.Email); err != nil {
		return Profile{}, fmt.Errorf("open the address of user %s: %w", u.ID, err)
	}
	if p.Name, err = s.keys.OpenString(seal.Purpose("users", u.ID, "name"), u.Name); err != nil {
		return Profile{}, fmt.Errorf("open the name of user %s: %w", u.ID, err)
	}
	return p, nil
}

// Reseal seals the user's address and name with the primary key when another sealed
// them; for the re-key sweep. It reports whether there was anything to do.
func (s *Service) Reseal(ctx context.Context, id string) (changed bool, err error) {
	u, err := s.store.User(ctx, id)
	if err != nil {
		return false, fmt.Errorf("find the account: %w", err)
	}
	if !s.keys.Stale(u.Email) && !s.keys.Stale(u.Name) {
		return false, nil
	}
	_, err = s.put(ctx, id, existing(func(u *User) error {
		var err error
		if u.Email, _, err = s.keys.Reseal(seal.Purpose("users", u.ID, "email"), u.Email); err != nil {
			return err
		}
		u.Name, _, err = s.keys.Reseal(seal.Purpose("users", u.ID, "name"), u.Name)
		return err
	}))
	return err == nil, err
}

// User gives one user; NotFound.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	u, err := s.store.User(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return User{}, errNoUser()
	}
	if err != nil {
		return User{}, fmt.Errorf("find the account: %w", err)
	}
	return u, nil
}

// UserByEmail finds a user by address, however it was typed; NotFound.
func (s *Service) UserByEmail(ctx context.Context, email string) (User, error) {
	u, err := s.store.UserByEmailKey(ctx, s.keys.EmailKey(emailDomain, email))
	if fault.Is(err, fault.NotFound) {
		return User{}, errNoUser()
	}
	if err != nil {
		return User{}, fmt.Errorf("find the account: %w", err)
	}
	return u, nil
}

// ListUsers gives everybody, ordered by id. Denied without the permission UsersManage.
func (s *Service) ListUsers(ctx context.Context, by Actor) ([]User, error) {
	if err := require(by, UsersManage); err != nil {
		return nil, err
	}
	users, err := s.store.Users(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	return users, nil
}

// EditUser changes address, name, roles or force. Denied, NotFound, Invalid with fields;
// Conflict when the address has another account, or when nobody would be left to
// administer the service.
func (s *Service) EditUser(ctx context.Context, by Actor, id string, e Edit) (User, error) {
	if err := require(by, UsersManage); err != nil {
		return User{}, err
	}
	var fields []fault.Field
	var names []string
	detail := map[string]string{}
	if e.Email != nil {
		fields, names = append(fields, checkEmail(*e.Email)...), append(names, "email")
	}
	if e.Name != nil {
		fields, names = append(fields, checkText("name", *e.Name, "a name", true)...), append(names, "name")
	}
	if e.Roles != nil {
		fields, names = append(fields, checkRoles(e.Roles)...), append(names, "roles")
		detail["roles"] = roleNames(inOrder(e.Roles))
	}
	if e.Force != nil {
		fields, names = append(fields, checkText("force", *e.Force, "", false)...), append(names, "force")
	}
	if err := fault.Fields("the account cannot be changed", fields...); err != nil {
		return User{}, err
	}
	u, err := s.User(ctx, id)
	if err != nil || len(names) == 0 {
		return u, err
	}
	if e.Roles != nil && u.HasRole(Administrator) && !slices.Contains(e.Roles, Administrator) {
		if err := s.notLastAdministrator(ctx, id); err != nil {
			return User{}, err
		}
	}
	if e.Email != nil {
		if key := s.keys.EmailKey(emailDomain, *e.Email); key != u.EmailKey {
			if err := s.emailFree(ctx, key); err != nil {
				return User{}, err
			}
		}
	}
	detail["fields"] = strings.Join(names, ",")
	if err := s.record(ctx, by, "user.changed", subjectUser(id), "", detail); err != nil {
		return User{}, err
	}
	u, err = s.put(ctx, id, existing(func(u *User) error {
		if e.Email != nil {
			if err := s.setEmail(u, *e.Email); err != nil {
				return err
			}
		}
		if e.Name != nil {
			if err := s.setName(u, *e.Name); err != nil {
				return err
			}
		}
		if e.Roles != nil {
			u.Roles = inOrder(e.Roles)
		}
		if e.Force != nil {
			u.Force = strings.TrimSpace(*e.Force)
		}
		return nil
	}))
	if fault.Is(err, fault.Conflict) {
		return User{}, errEmailTaken()
	}
	return u, err
}

// Disable ends a user's access, sessions and links at once. Denied, NotFound; Conflict
// when nobody would be left to administer the service. Repeatable.
func (s *Service) Disable(ctx context.Context, by Actor, id string) error {
	if err := require(by, UsersManage); err != nil {
		return err
	}
	u, err := s.User(ctx, id)
	if err != nil {
		return err
	}
	if u.HasRole(Administrator) {
		if err := s.notLastAdministrator(ctx, id); err != nil {
			return err
		}
	}
	if err := s.record(ctx, by, "user.disabled", subjectUser(id), "", nil); err != nil {
		return err
	}
	if _, err := s.put(ctx, id, existing(func(u *User) error {
		u.Disabled = true
		u.Epoch++
		return nil
	})); err != nil {
		return err
	}
	return s.forget(ctx, id)
}

// Enable lets a disabled user in again, with the password they had. Denied, NotFound.
func (s *Service) Enable(ctx context.Context, by Actor, id string) error {
	if err := require(by, UsersManage); err != nil {
		return err
	}
	if _, err := s.User(ctx, id); err != nil {
		return err
	}
	if err := s.record(ctx, by, "user.enabled", subjectUser(id), "", nil); err != nil {
		return err
	}
	_, err := s.put(ctx, id, existing(func(u *User) error {
		u.Disabled = false
		return nil
	}))
	return err
}

// forget tidies away sessions and links that the user's new epoch has already ended.
func (s *Service) forget(ctx context.Context, userID string) error {
	if err := s.store.DeleteSessionsOf(ctx, userID); err != nil {
		return fmt.Errorf("delete sessions: %w", err)
	}
	if err := s.store.DeleteLinksOf(ctx, userID); err != nil {
		return fmt.Errorf("delete links: %w", err)
	}
	return nil
}

// administers reports whether the user can sign in and administer the service.
func administers(u User) bool {
	return !u.Disabled && u.PasswordHash != "" && u.HasRole(Administrator)
}

// notLastAdministrator is Conflict when nobody but this user administers the service. Two
// administrators who put each other out at the same moment can pass it both; a set-up
// link is then the way back.
func (s *Service) notLastAdministrator(ctx context.Context, id string) error {
	users, err := s.store.Users(ctx)
	if err != nil {
		return fmt.Errorf("look for another administrator: %w", err)
	}
	if !slices.ContainsFunc(users, func(u User) bool { return u.ID != id && administers(u) }) {
		return fault.New(fault.Conflict, "this is the last administrator; make another first")
	}
	return nil
}

// newHash normalises and hashes a password that has been checked.
func (s *Service) newHash(ctx context.Context, password string) (string, error) {
	normal, err := normalPassword(password)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "that password cannot be used")
	}
	return s.hasher.hash(ctx, normal)
}
