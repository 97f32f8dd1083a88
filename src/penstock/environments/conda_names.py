"""What a conda package's name means where packages come from PyPI: the table.

A name is a package of PyPI (under another name, or the same), or something that wheels bring along or only conda
needs, or a program that the machine must have, or not known here. The table is honest: a name that it does not hold
is refused and not guessed, since the same name on PyPI may belong to another package.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class OnPyPI:
    """A package of PyPI, with extras where conda splits what PyPI does not."""

    name: str


@dataclass(frozen=True)
class LeftOut:
    """Nothing to install. `because` is shown as a warning; None where nobody could miss it."""

    because: str | None


@dataclass(frozen=True)
class MachineProgram:
    """A program, not a Python package: this command is on the machine, or the environment cannot be built."""

    command: str


Meaning = OnPyPI | LeftOut | MachineProgram


def meaning_of(name: str) -> Meaning | None:
    """What a conda package name means; None where the table does not know it."""
    wanted = _plain(name)
    if wanted in _RENAMED:
        return OnPyPI(_RENAMED[wanted])
    if wanted in _SAME:
        return OnPyPI(_SAME[wanted])
    if wanted in _WITH_A_WORD:
        return LeftOut(_WITH_A_WORD[wanted])
    if wanted in _PROGRAMS:
        return MachineProgram(_PROGRAMS[wanted])
    if wanted in _SILENT or _ONLY_CONDA.fullmatch(wanted):
        return LeftOut(None)
    if _NATIVE_LIBRARY.fullmatch(wanted):
        return LeftOut("it is a native library; PyPI's wheels bring those that they need")
    return None


def nearest_names(name: str) -> tuple[str, ...]:
    """Up to three names of the table that the writer may have meant."""
    return tuple(difflib.get_close_matches(_plain(name), _MEANT, n=3, cutoff=0.75))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _words(text: str) -> list[str]:
    return text.split()


def _pairs(text: str) -> dict[str, str]:
    return {_plain(conda): pypi for conda, pypi in (line.split() for line in text.strip().splitlines())}


_RENAMED: Mapping[str, str] = _pairs("""
    antlr-python-runtime   antlr4-python3-runtime
    astropy-base           astropy
    bokeh-base             bokeh
    brotli-python          brotli
    catboost-gpu           catboost
    dask-core              dask
    faiss                  faiss-cpu
    geopandas-base         geopandas
    google-cloud-bigquery-core  google-cloud-bigquery
    keras-gpu              keras
    keras-base             keras
    lightgbm-cpu           lightgbm
    matplotlib-base        matplotlib
    msgpack-python         msgpack
    numpy-base             numpy
    onnxruntime-cpu        onnxruntime
    opencv                 opencv-python-headless
    pandas-base            pandas
    pillow-simd            pillow
    prophet-base           prophet
    psycopg2               psycopg2-binary
    py-lightgbm            lightgbm
    py-lz4                 lz4
    py-opencv              opencv-python-headless
    py-xgboost             xgboost
    py-xgboost-cpu         xgboost
    py-xgboost-gpu         xgboost
    pyarrow-core           pyarrow
    pyg                    torch-geometric
    pyqt                   PyQt5
    pytables               tables
    python-annoy           annoy
    python-blosc           blosc
    python-clang           clang
    python-confluent-kafka confluent-kafka
    python-duckdb          duckdb
    python-fastjsonschema  fastjsonschema
    python-flatbuffers     flatbuffers
    python-gcsfs           gcsfs
    python-graphviz        graphviz
    python-igraph          igraph
    python-kaleido         kaleido
    python-levenshtein     Levenshtein
    python-lmdb            lmdb
    python-mecab           mecab-python3
    python-tzdata          tzdata
    python-wget            wget
    python-xxhash          xxhash
    python-zstd            zstd
    pytorch                torch
    pytorch-cpu            torch
    pytorch-gpu            torch
    pytorch-geometric      torch-geometric
    ray-all                ray[all]
    ray-air                ray[air]
    ray-core               ray
    ray-data               ray[data]
    ray-default            ray[default]
    ray-rllib              ray[rllib]
    ray-serve              ray[serve]
    ray-train              ray[train]
    ray-tune               ray[tune]
    seaborn-base           seaborn
    shap-base              shap
    sqlalchemy-base        sqlalchemy
    tensorflow-base        tensorflow
    tensorflow-eigen       tensorflow
    tensorflow-gpu         tensorflow
    tensorflow-mkl         tensorflow
    torchvision-cpu        torchvision
    uvicorn-standard       uvicorn[standard]
    vowpalwabbit-base      vowpalwabbit
""")

# On conda's main channels and on PyPI under one name, the same project.
_SAME: Mapping[str, str] = {
    _plain(name): name
    for name in _words("""
    absl-py accelerate adal adlfs aiofiles aiohttp aiosignal alembic altair annotated-types annoy anyio appdirs
    applicationinsights argcomplete argon2-cffi arrow arviz astropy asttokens async-timeout attrs autograd avro awscli
    azure-common azure-core azure-cosmos azure-identity azure-keyvault-secrets azure-storage-blob
    azure-storage-file-datalake babel backcall backoff bcrypt beautifulsoup4 black bleach blinker blosc bokeh boto3
    botocore bottleneck brotlipy bs4 cachetools captum catboost category_encoders causalml cattrs certifi cffi
    cfgv chardet charset-normalizer click cloudpickle cmake cmdstanpy codecov colorama colorlog comm configargparse
    configparser contextlib2 contourpy coverage croniter cryptography cvxopt cvxpy cycler cython cytoolz dash dask
    dask-ml databricks-cli databricks-sdk datasets debugpy decorator deepspeed deprecated diffusers dill
    distributed distro dm-tree docker docker-py docutils dotmap dowhy duckdb econml einops elasticsearch entrypoints
    et_xmlfile evaluate evidently exceptiongroup executing fairlearn faker fastai fastapi fastavro fastcore
    fastjsonschema fastparquet fasteners featuretools filelock fire flake8 flaml flask flask-cors flatbuffers folium
    fonttools frozenlist fsspec future gast gcsfs gensim geopandas geopy gevent gitdb gitpython gluonts google-api-core
    google-auth google-cloud-storage google-pasta googleapis-common-protos graphene greenlet grpcio grpcio-tools gunicorn
    gymnasium h11 h2o h5netcdf h5py hdbscan holidays html5lib httpcore httplib2 httptools httpx huggingface-hub humanize
    hydra-core hyperopt hypothesis idna ijson imageio imbalanced-learn implicit importlib-metadata importlib-resources
    inflection iniconfig interpret invoke ipdb ipykernel ipython ipywidgets isodate isort itsdangerous jedi jinja2
    jmespath joblib json5 jsonpatch jsonpickle jsonpointer jsonschema jupyter jupyter-client jupyter-core jupyterlab
    kedro keras kiwisolver kubernetes langchain lazy-loader librosa liac-arff lifelines lightfm
    lightgbm lightning lime llvmlite lmdb locket loguru lxml lz4 mako markdown markdown-it-py markupsafe marshmallow
    matplotlib matplotlib-inline mdurl mistune mlflow mlflow-skinny mlxtend mne monotonic more-itertools moto msal
    msal-extensions msgpack msgpack-numpy msrest msrestazure multidict multiprocess munch mypy mypy-extensions nbclient nbconvert
    nbformat ndg-httpsclient nest-asyncio netcdf4 networkx nltk nose notebook numba numexpr numpy numpydoc oauthlib
    omegaconf onnx onnxconverter-common onnxmltools onnxruntime onnxruntime-gpu openai opencv-python
    opencv-python-headless openpyxl opentelemetry-api opentelemetry-sdk opt-einsum optuna orjson ortools overrides
    packaging pandas pandas-profiling pandera papermill paramiko parso partd pathlib2 pathspec patsy peft pexpect
    pickleshare pillow pip pkginfo platformdirs plotly plotnine pluggy ply pmdarima polars portalocker pre-commit
    prometheus_client prompt-toolkit prophet protobuf psutil psycopg psycopg2-binary ptyprocess pure_eval py4j pyarrow
    pyasn1 pyasn1-modules pybind11 pycaret pycocotools pycodestyle pycparser pycryptodome pycryptodomex pydantic
    pydantic-core pydantic-settings pydocstyle pydot pyflakes pygments pyjwt pylint pymongo pymysql pynacl pynndescent
    pyodbc pyopenssl pyparsing pyproj pyrsistent pyserini pysocks pyspark pystan pytest pytest-cov pytest-mock
    pytest-xdist python-dateutil python-docx python-dotenv python-jose python-json-logger python-multipart
    python-rapidjson python-slugify python-snappy python-utils pytorch-lightning pytz pywavelets pyyaml pyzmq rapidfuzz
    ray redis regex requests requests-oauthlib responses rich rope rpds-py rsa ruamel.yaml ruamel.yaml.clib ruff s3fs
    s3transfer sacrebleu sacremoses safetensors salib scikit-image scikit-learn scikit-learn-intelex scikit-optimize
    scikit-plot scikit-surprise scikit-multiflow scipy seaborn segmentation-models-pytorch selenium send2trash
    sentence-transformers sentencepiece seqeval setuptools setuptools-scm shap shapely simplejson six sktime skl2onnx
    slicer smart_open smmap sniffio snowflake-connector-python sortedcontainers soupsieve spacy spacy-legacy
    spacy-loggers sphinx sqlalchemy sqlalchemy-utils sqlparse srsly stable-baselines3 stack_data starlette statsforecast
    statsmodels streamlit sympy tabulate tblib tenacity tensorboard tensorboardx tensorboard-data-server tensorflow
    tensorflow-addons tensorflow-cpu tensorflow-datasets tensorflow-estimator tensorflow-hub tensorflow-probability
    tensorflow-text termcolor terminado testpath textblob thinc threadpoolctl tifffile tiktoken timm tinycss2 tokenizers
    toml tomli tomlkit toolz torch torch-geometric torchaudio torchmetrics torchserve torchtext torchvision tornado tox
    tpot tqdm traitlets transformers treeinterpreter tsfresh tune-sklearn twine typeguard typer typing-extensions
    typing-inspect tzdata tzlocal ujson umap-learn unidecode unittest-xml-reporting uri-template uritemplate urllib3
    uvicorn uvloop validators virtualenv vowpalwabbit waitress wandb wasabi watchdog wcwidth webencodings
    websocket-client websockets werkzeug wget wheel widgetsnbextension wordcloud wrapt xarray xgboost xlrd xlsxwriter
    xlwt xxhash yarl yellowbrick zict zipp zstandard
    """)
}

_WITH_A_WORD: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "cudatoolkit",
            "cudatoolkit-dev",
            "cudnn",
            "nccl",
            "pytorch-cuda",
            "cuda",
            "cuda-toolkit",
            "cuda-runtime",
        ),
        "CUDA comes with the wheels of PyPI's packages, in the version that they were built for",
    ),
    "cpuonly": "PyPI's torch may bring CUDA's libraries; for the small build name torch under `pip:`, after a line "
    "`--extra-index-url https://download.pytorch.org/whl/cpu`",
    "anaconda": "the packages of the Anaconda distribution are not installed; name those that the code imports",
    **dict.fromkeys(
        (
            "conda",
            "mamba",
            "micromamba",
            "conda-build",
            "conda-pack",
            "conda-package-handling",
            "anaconda-client",
        ),
        "no conda is used here, so commands that call it will not find it",
    ),
    **dict.fromkeys(
        ("mkl-service", "mkl-fft", "mkl-random"),
        "PyPI's numpy computes with OpenBLAS, so there is no MKL to steer",
    ),
    "openmpi": "MPI is not part of an environment; the machine's own is used",
    "mpich": "MPI is not part of an environment; the machine's own is used",
}

_PROGRAMS: Mapping[str, str] = {
    "bash": "bash",
    "curl": "curl",
    "gcc": "gcc",
    "gcc-linux-64": "gcc",
    "gxx": "g++",
    "gxx-linux-64": "g++",
    "c-compiler": "cc",
    "cxx-compiler": "c++",
    "compilers": "c++",
    "ffmpeg": "ffmpeg",
    "git": "git",
    "git-lfs": "git-lfs",
    "go": "go",
    "graphviz": "dot",
    "gzip": "gzip",
    "jq": "jq",
    "make": "make",
    "nodejs": "node",
    "openjdk": "java",
    "p7zip": "7z",
    "pandoc": "pandoc",
    "poppler": "pdftotext",
    "r-base": "R",
    "rsync": "rsync",
    "rust": "rustc",
    "tar": "tar",
    "tesseract": "tesseract",
    "tree": "tree",
    "unzip": "unzip",
    "vim": "vim",
    "which": "which",
    "zip": "zip",
}

# What `conda env export` lists and a wheel carries inside, or what only conda itself needs.
_SILENT = frozenset(
    _words("""
    blas bzip2 c-ares ca-certificates expat fontconfig freetype gettext giflib glib gmp gstreamer
    gst-plugins-base hdf5 icu intel-openmp jpeg krb5 lame lcms2 lerc llvm-openmp lz4-c mkl mkl-devel mkl-include
    mpc mpfr ncurses nettle nomkl openblas openh264 openjpeg openssl
    orc pcre pcre2 pixman py-boost pthread-stubs qt qt-main qt-webengine re2 readline s2n sip snappy sqlite tbb tk
    unixodbc xz yaml zeromq zlib zlib-ng zstd cairo harfbuzz pango graphite2 fribidi nspr nss dataclasses dbus boost-cpp boost
    arrow-cpp aws-c-common parquet-cpp grpc-cpp gflags glog utf8proc abseil-cpp rdma-core brotli-bin brunsli cfitsio
    charls jxrlib zfp gdk-pixbuf geos proj kealib tiledb xerces-c freexl tzcode python-abi libgcc libstdcxx
    font-ttf-dejavu-sans-mono font-ttf-inconsolata font-ttf-source-code-pro font-ttf-ubuntu fonts-conda-ecosystem
    fonts-conda-forge kernel-headers-linux-64 sysroot-linux-64 ld-impl-linux-64 binutils binutils-impl-linux-64
    binutils-linux-64 tensorboard-plugin-wit-base cuda-version python3-abi
    """)
)
_ONLY_CONDA = re.compile(r"-.*|.*-mutex|.*-proc|python-abi.*|xorg-.*|font-.*|ld-impl-.*|cuda-.*|aws-c-.*")
_NATIVE_LIBRARY = re.compile(r"lib[a-z0-9-]+")

_MEANT = sorted({*_RENAMED, *_SAME, *_PROGRAMS})
