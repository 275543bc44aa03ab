package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"victimvoice/api/wire"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
)

// returned is the result of one bounce: recorded, unknown (no mail of ours) or rejected.
type returned struct {
	MessageID string        `json:"message_id"`
	Status    string        `json:"status"`
	Errors    []fault.Field `json:"errors,omitempty"`
}

const (
	recorded = "recorded"
	unknown  = "unknown"
)

// postBounces records what a mail system could not deliver: one report or an
// array of them. To report the same bounce again changes nothing.
func (a *API) postBounces(c *gin.Context, _ access.APIKey) error {
	if _, err := mediaType(c.Request, typeJSON); err != nil {
		return err
	}
	body, release, err := a.body(c)
	if err != nil {
		return err
	}
	defer release()
	bounces, batch, err := wire.Bounces(body)
	if err != nil {
		return malformed(err)
	}
	ctx := c.Request.Context()
	if !batch {
		if err := a.bounce(ctx, bounces[0]); err != nil {
			return err
		}
		c.JSON(http.StatusAccepted, returned{MessageID: bounces[0].MessageID, Status: recorded})
		return nil
	}
	out := make([]returned, len(bounces))
	for i, b := range bounces {
		out[i] = returned{MessageID: b.MessageID, Status: recorded}
		switch err := a.bounce(ctx, b); {
		case err == nil:
		case fault.Is(err, fault.NotFound):
			out[i].Status = unknown
		case fault.Is(err, fault.Invalid):
			out[i].Status, out[i].Errors = rejected, fault.FieldsOf(err)
		default:
			return fmt.Errorf("record bounce %d: %w", i, err)
		}
	}
	c.JSON(http.StatusAccepted, out)
	return nil
}

func (a *API) bounce(ctx context.Context, b wire.Bounce) error {
	if len(b.Faults) > 0 {
		return fault.Fields("The report has faults.", b.Faults...)
	}
	at := b.At
	if at.IsZero() {
		at = a.parts.Now()
	}
	return a.parts.Bounces.Bounce(ctx, b.MessageID, b.Kind, at)
}
