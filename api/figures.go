package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"victimvoice/analysis/figures"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
)

// getFigures answers a query of figures. A key of one force is given that
// force's figures alone.
func (a *API) getFigures(c *gin.Context, key access.APIKey) error {
	query := c.Request.URL.Query()
	if key.Force != "" {
		for _, asked := range query[figures.DimForce] {
			if asked != "" && !key.MayTouch(asked) {
				mine := fault.Field{Field: figures.DimForce, Message: "this key reads the figures of " + key.Force + " only"}
				return &fault.Error{Kind: fault.Denied, Message: "This key may not read another force's figures.", Fields: []fault.Field{mine}}
			}
		}
		query.Set(figures.DimForce, key.Force)
	}
	result, err := a.parts.Figures.Figures(c.Request.Context(), query)
	if err != nil {
		return err
	}
	if result.Points == nil {
		result.Points = []figures.Point{} // none is a list of none
	}
	c.JSON(http.StatusOK, result)
	return nil
}

// catalogue is what figures can be asked for.
type catalogue struct {
	Measures   []figures.Measure   `json:"measures"`
	Dimensions []figures.Dimension `json:"dimensions"`
	Lattice    string              `json:"lattice"` // how dimensions may be put together
}

func (a *API) getMeasures(c *gin.Context, _ access.APIKey) error {
	c.JSON(http.StatusOK, catalogue{Measures: a.parts.Measures.Measures(), Dimensions: figures.Dimensions(), Lattice: figures.Lattice})
	return nil
}
