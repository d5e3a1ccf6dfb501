package legacyfixture

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"golang.org/x/crypto/bcrypt"
)

// memory keeps everything: for tests only.
type memory struct {
	all  map[string][]bson.D
	name string
}

func (s *memory) Collection(_ context.Context, name string) error { s.name = name; return nil }
func (s *memory) Write(_ context.Context, d bson.D) error {
	s.all[s.name] = append(s.all[s.name], d)
	return nil
}
func (s *memory) Close(context.Context) error { return nil }

func generate(t *testing.T, o Options) (map[string][]bson.D, Truth) {
	t.Helper()
	var out bytes.Buffer
	s := &memory{all: map[string][]bson.D{}}
	counts, err := Generate(t.Context(), o, s, &out)
	require.NoError(t, err)
	var truth Truth
	require.NoError(t, json.Unmarshal(out.Bytes(), &truth))
	require.Equal(t, counts, truth.Collections)
	return s.all, truth
}

func get(d bson.D, path ...string) any {
	for _, e := range d {
		if e.Key == path[0] {
			if len(path) == 1 {
				return e.Value
			}
			below, _ := e.Value.(bson.D)
			return get(below, path[1:]...)
		}
	}
	return nil
}

func idOf(d bson.D) primitive.ObjectID { id, _ := get(d, "_id").(primitive.ObjectID); return id }

// What is said to be clean is: every name in it leads to a document that import takes, no address
// comes twice, statuses are the original's. What is said to be refused has a reason to be.
func TestTruthIsTrue(t *testing.T) {
	t.Parallel()
	for _, dirt := range []float64{0, 0.01, 0.3} {
		t.Run(fmt.Sprint(dirt), func(t *testing.T) {
			t.Parallel()
			o := Small(20, 7)
			o.Dirt = dirt
			all, truth := generate(t, o)
			require.Len(t, all["users"], o.Users)
			require.Len(t, all["purchaserequests"], o.Requests)
			require.Len(t, all["selleroffers"], o.Offers)
			require.Len(t, all["payments"], o.Payments)
			dirty := map[string]Dirty{}
			kinds := map[string]bool{}
			for _, d := range truth.Dirty {
				_, twice := dirty[d.Collection+d.ID]
				require.False(t, twice, "%+v", d)
				dirty[d.Collection+d.ID] = d
				kinds[d.Collection+" "+d.Kind] = true
			}
			if dirt == 0 {
				require.Empty(t, dirty)
			}
			if dirt == 0.3 {
				require.Greater(t, len(kinds), 45, "%v", kinds)
			}
			taken := map[string]map[primitive.ObjectID]bson.D{}
			for name, docs := range all {
				taken[name] = map[primitive.ObjectID]bson.D{}
				ids := map[primitive.ObjectID]bool{}
				for _, d := range docs {
					require.False(t, ids[idOf(d)], "%s %s twice", name, idOf(d))
					ids[idOf(d)] = true
					if !dirty[name+idOf(d).Hex()].Refuse {
						taken[name][idOf(d)] = d
					}
				}
				require.Equal(t, len(docs)-truth.Collections[name].Refused, len(taken[name]))
			}
			emails := map[string]bool{}
			for name, docs := range all {
				for _, d := range docs {
					bad := dirty[name+idOf(d).Hex()]
					broken := danglers(d, taken)
					address, _ := get(d, "email").(string)
					if bad.Refuse {
						switch verb, _, _ := strings.Cut(bad.Kind, "_"); verb {
						case "dangling", "refused":
							require.Equal(t, []string{bad.Field}, broken, "%s %+v", name, bad)
						case "ledger":
						default:
							require.Empty(t, broken, "%s %+v", name, bad)
						}
						continue
					}
					require.Empty(t, broken, "%s %s", name, idOf(d))
					if name == "users" && address != "" {
						require.False(t, emails[strings.ToLower(address)], address)
						emails[strings.ToLower(address)] = true
					}
				}
			}
			for _, d := range all["users"] {
				address, _ := get(d, "email").(string)
				if strings.HasPrefix(dirty["users"+idOf(d).Hex()].Kind, "duplicate") {
					require.True(t, emails[strings.ToLower(address)])
				}
			}
		})
	}
}

// targets of the references that a document can have.
var targets = map[string]string{
	"buyerId": "users", "sellerId": "users", "userId": "users", "initiatorId": "users", "resolverId": "users", "placedBy": "users", "releasedBy": "users", "updatedBy": "users",
	"categoryId": "categories", "parentId": "categories", "purchaseRequestId": "purchaserequests", "sellerOfferId": "selleroffers", "selectedOfferId": "selleroffers",
	"paymentId": "payments", "disputeId": "disputes",
}

func danglers(d bson.D, taken map[string]map[primitive.ObjectID]bson.D) (fields []string) {
	for _, e := range d {
		target, is := targets[e.Key]
		if id, ok := e.Value.(primitive.ObjectID); is && ok {
			if _, there := taken[target][id]; !there {
				fields = append(fields, e.Key)
			}
		}
	}
	return fields
}

// tenThousandths reads an amount of any type, exactly.
func tenThousandths(t *testing.T, v any) *big.Rat {
	t.Helper()
	text := fmt.Sprint(v)
	if f, ok := v.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	r, ok := new(big.Rat).SetString(text)
	require.True(t, ok, "%v", v)
	return r.Mul(r, big.NewRat(10_000, 1))
}

// The movements of every payment that import takes say the same as its escrowState.
func TestBooksAgree(t *testing.T) {
	t.Parallel()
	o := Small(20, 3)
	o.Decimal128 = true
	all, truth := generate(t, o)
	refused := map[string]string{}
	for _, d := range truth.Dirty {
		if d.Refuse {
			refused[d.Collection+d.ID] = d.Kind
		}
	}
	lies := map[primitive.ObjectID]map[string]*big.Rat{}
	for _, e := range all["fundsledgerentries"] {
		id, _ := get(e, "paymentId").(primitive.ObjectID)
		if lies[id] == nil {
			lies[id] = map[string]*big.Rat{}
		}
		for place, sign := range map[string]int64{"from": -1, "to": 1} {
			at := fmt.Sprint(get(e, place))
			if lies[id][at] == nil {
				lies[id][at] = new(big.Rat)
			}
			v := tenThousandths(t, get(e, "amount"))
			require.Positive(t, v.Sign())
			require.True(t, v.IsInt())
			lies[id][at].Add(lies[id][at], v.Mul(v, big.NewRat(sign, 1)))
		}
	}
	states, disagree := map[string]int{}, 0
	for _, p := range all["payments"] {
		kind, state := refused["payments"+idOf(p).Hex()], fmt.Sprint(get(p, "escrowState"))
		if kind != "" && kind != "ledger_disagrees" && kind != "ledger_missing" {
			continue
		}
		due := get(p, "amount")
		if below, ok := due.(bson.D); ok {
			due = get(below, "amount")
		}
		whole, zero := tenThousandths(t, due), new(big.Rat)
		at := func(place string) *big.Rat {
			if v := lies[idOf(p)][place]; v != nil {
				return v
			}
			return zero
		}
		agrees := false
		switch state {
		case "funded":
			agrees = at("held").Cmp(whole) == 0 && at("releasable").Sign() == 0
		case "partial":
			agrees = at("held").Sign() > 0 && at("held").Cmp(whole) < 0
		case "releasable", "releasing":
			agrees = at("releasable").Cmp(whole) == 0 && at("held").Sign() == 0
		case "released":
			paid := new(big.Rat).Add(whole, at("external")) // what came in and did not go out
			out := new(big.Rat).Neg(at("external"))
			agrees = len(lies[idOf(p)]) > 0 && at("held").Sign() == 0 && at("releasable").Sign() == 0 && new(big.Rat).Add(at("available"), at("platform")).Cmp(out) == 0 && (paid.Sign() == 0 || paid.Cmp(whole) == 0)
		case "refunded":
			agrees = at("held").Sign() == 0 && at("external").Sign() == 0 && len(lies[idOf(p)]) == 2
		default:
			agrees = len(lies[idOf(p)]) == 0
		}
		require.Equal(t, kind == "", agrees, "%s: %s %v %s", idOf(p).Hex(), state, lies[idOf(p)], kind)
		states[state]++
		if kind != "" {
			disagree++
		}
	}
	require.Len(t, states, 9, "%v", states) // each of docs/legacy/original.md, and none
	require.Positive(t, disagree)
}

// The same seed gives the same bytes in every format, another seed others; an ObjectId says when
// its document was made.
func TestTheSameAgain(t *testing.T) {
	t.Parallel()
	o := Small(5, 1)
	write := func(o Options, format string) (files map[string]string, dir string) {
		dir = t.TempDir()
		file, err := os.Create(filepath.Join(dir, "truth.json"))
		require.NoError(t, err)
		_, err = Generate(t.Context(), o, &Files{Folder: dir, Format: format}, file)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		files = map[string]string{}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
			require.NoError(t, err)
			files[e.Name()] = string(raw)
		}
		return files, dir
	}
	for _, format := range []string{"bson", "bson.gz", "json"} {
		first, _ := write(o, format)
		again, _ := write(o, format)
		require.Equal(t, first, again, format)
		require.Contains(t, first, "payments."+format)
	}
	other := o
	other.Seed = 2
	files, _ := write(o, "bson")
	changed, _ := write(other, "bson")
	require.NotEqual(t, files["users.bson"], changed["users.bson"])

	lines, _ := write(o, "json")
	n := 0
	for raw := []byte(files["payments.bson"]); len(raw) > 0; n++ {
		var doc, same bson.D
		size := bson.Raw(raw).Lookup("_id")
		require.NotEmpty(t, size)
		length := int(raw[0]) | int(raw[1])<<8 | int(raw[2])<<16
		require.NoError(t, bson.Unmarshal(raw[:length], &doc))
		require.WithinDuration(t, get(doc, "createdAt").(primitive.DateTime).Time(), idOf(doc).Timestamp(), 1e9)
		require.NoError(t, bson.UnmarshalExtJSON([]byte(strings.Split(lines["payments.json"], "\n")[n]), false, &same))
		require.Equal(t, idOf(doc), idOf(same))
		raw = raw[length:]
	}
	require.Equal(t, o.Payments, n)
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"too few people":                func(o *Options) { o.Users = 5 },
		"more payments than requests":   func(o *Options) { o.Payments = o.Requests + 1 },
		"more payments than offers":     func(o *Options) { o.Offers = o.Payments - 1 },
		"offers for no request":         func(o *Options) { o.Requests, o.Payments = 0, 0 },
		"all dirty":                     func(o *Options) { o.Dirt = 1 },
		"an end before the beginning":   func(o *Options) { o.To = o.From },
		"more than an ObjectId counts":  func(o *Options) { o.Users = 1 << 25 },
		"more offers than sellers have": func(o *Options) { o.Offers = 21 * o.Requests },
	} {
		o := Small(5, 1)
		change(&o)
		_, err := Generate(t.Context(), o, &memory{all: map[string][]bson.D{}}, &bytes.Buffer{})
		require.Error(t, err, name)
	}
}

func TestHashesAreOfThePassword(t *testing.T) {
	t.Parallel()
	for _, h := range hashes {
		require.NoError(t, bcrypt.CompareHashAndPassword([]byte(h), []byte(Password)), h)
	}
}
