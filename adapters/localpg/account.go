package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// account is as whom the server runs. PostgreSQL refuses to run as root, so root steps down.
type account struct {
	stepDown bool
	uid, gid int
}

func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Getuid(), gid: os.Getgid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, fmt.Errorf("read the ids of user %s: %w", name, err)
		}
		return account{stepDown: true, uid: uid, gid: gid}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// elsewhere is where a folder goes that the account could not reach.
const elsewhere = "/var/lib/holdfast"

// passable lets the server's account through; initdb closes the data folder itself.
const passable = 0o755

// settle gives the folder to use for a wanted one, made and owned by the account. A folder
// below a closed one (root's home, say) cannot be reached by the account the server runs as: it
// is put under /var/lib/holdfast, by a name that follows from the wanted one.
func (a account) settle(wanted string) (string, error) {
	dir, err := filepath.Abs(wanted)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, passable); err != nil {
		return "", err
	}
	if a.stepDown && !a.reaches(filepath.Dir(dir)) {
		name := sha256.Sum256([]byte(dir))
		dir = filepath.Join(elsewhere, hex.EncodeToString(name[:8]))
		if err := os.MkdirAll(dir, passable); err != nil {
			return "", err
		}
		if !a.reaches(filepath.Dir(dir)) {
			return "", fmt.Errorf("user %d, as which PostgreSQL must run, can enter neither %s nor %s: open a folder above it (chmod o+x) or choose another", a.uid, wanted, dir)
		}
	}
	return dir, a.own(dir)
}

// reaches reports whether the account may pass through dir and all folders above it.
func (a account) reaches(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || !a.mayEnter(info) {
			return false
		}
		above := filepath.Dir(dir)
		if above == dir {
			return true
		}
		dir = above
	}
}

// own hands a file or folder to the account, when that is not who we are.
func (a account) own(path string) error {
	if !a.stepDown {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}
